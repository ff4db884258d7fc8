/* bjoern: an HTTP/1.1 server core for a JavaScript thread.
 *
 * The library never calls into JavaScript. The caller takes a *turn*: bj_server_turn() accepts,
 * reads and parses whatever is ready and describes it in event records; the caller answers in
 * command records and hands them over with bj_server_flush(). All shared memory belongs to the
 * caller, must stay where it is until bj_server_free(), and is touched only inside these calls.
 *
 * Every function must be called on the thread that called bj_server_new(). */
#ifndef BJOERN_H
#define BJOERN_H

#include <stdint.h>

#define API __attribute__((visibility("default")))

/* Raised whenever a record, an option or a function changes; the binding refuses any other. */
#define BJ_ABI 6
#define BJ_ERROR_SIZE 256   /* bytes at every `char *error`, the NUL included */
#define BJ_ADDRESS_SIZE 128 /* bytes at every `char *address` */
#define BJ_PATH_SIZE 4096   /* bytes at every `char *real_path` */

typedef struct bj_server bj_server;
typedef struct bj_listener bj_listener;

/* Sizes are in bytes, times in milliseconds; 0 means no limit for times, max_connections,
 * max_requests and max_buffered. There must be at least 3 event slots, max_fields field slots, and
 * an arena of max_head_size + 4096. */
typedef struct bj_options {
  uint32_t arena_size;      /* bytes received in one turn */
  uint32_t field_slots;     /* header fields of one turn */
  uint32_t event_slots;     /* events of one turn */
  uint32_t max_head_size;   /* request line and fields; 431 */
  uint32_t max_target_size; /* 414 */
  uint32_t max_fields;      /* 431 */
  uint32_t max_body_low;    /* 413; 64 bits in two words */
  uint32_t max_body_high;
  uint32_t max_connections; /* the rest waits in the backlog */
  uint32_t max_requests;    /* on one connection before it closes */
  uint32_t max_pipelined;   /* requests of one connection in flight */
  uint32_t head_timeout;    /* 408 */
  uint32_t body_timeout;    /* 408 */
  uint32_t idle_timeout;    /* sent in Keep-Alive, in whole seconds, if there are any */
  uint32_t write_timeout;
  uint32_t min_body_rate;   /* bytes a second by which received ones extend body_timeout */
  uint32_t min_write_rate;  /* the same for those the client takes, and write_timeout */
  uint32_t request_timeout; /* from its first byte to the last of its answer; 408, 503 or a cut */
  uint32_t max_buffered;    /* in all connections together; above it the largest are closed */
  uint32_t backend;         /* enum bj_backend */
  uint32_t secure_targets;  /* 1: gateways may ask for "https://..."; else 421 */
} bj_options;

/* libev's backends by its own numbers, as in LIBEV_FLAGS. */
enum bj_backend {
  BJ_BACKEND_AUTO = 0, /* LIBEV_FLAGS if that is set, else the best one */
  BJ_BACKEND_SELECT = 1,
  BJ_BACKEND_POLL = 2,
  BJ_BACKEND_EPOLL = 4,
  BJ_BACKEND_KQUEUE = 8,
};

/* What a turn found. Offsets are into the arena and hold until the next turn. */
typedef struct bj_event {
  uint32_t type;       /* enum bj_event_type */
  uint32_t request;    /* with `generation`, names the request in later records */
  uint32_t generation; /* grows each time that `request` is reused */
  uint32_t flags;      /* BJ_EVENT_*; for BJ_ABORTED an enum bj_reason */
  uint32_t head_at;    /* the request line and fields */
  uint32_t head_size;
  uint32_t method; /* enum bj_method in the low half, bytes of the name in the high half */
  uint32_t target_at;
  uint32_t target_size;
  uint32_t authority_at; /* the target's own in absolute-form, else the Host field's value */
  uint32_t authority_size;
  uint32_t fields_at; /* index of the first pair of words in `fields` */
  uint32_t fields_count;
  uint32_t body_at; /* BJ_REQUEST: what arrived with the head; BJ_BODY: the next part */
  uint32_t body_size;
  uint32_t peer_port;
  uint32_t peer[4]; /* network order; a mapped address for IPv4, zeros for a Unix socket */
} bj_event;

enum bj_event_type {
  BJ_REQUEST = 1,  /* a new request */
  BJ_BODY = 2,     /* more of its body */
  BJ_ABORTED = 3,  /* it ended early: no more events, and no answer is taken */
  BJ_DRAINED = 4,  /* its output has drained: write on */
  BJ_SENT = 5,     /* the kernel has the last byte of an answer with BJ_WRITE_NOTIFY */
  BJ_LEFT = 6,     /* the client closed its side; an answer may still reach it */
  BJ_STOPPED = 7,  /* draining is over: no connection is left */
  BJ_READABLE = 8, /* `body_size` bytes of its body may be read: see BJ_CONSUME_REST */
};

#define BJ_EVENT_BODY 1u     /* the request has a body */
#define BJ_EVENT_END 2u      /* and this is the last of it */
#define BJ_EVENT_ABSOLUTE 4u /* the target is in absolute-form */
#define BJ_EVENT_ODD 8u      /* the target changes when it is normalised as a URL */
#define BJ_EVENT_HTTP10 16u
#define BJ_EVENT_EXPECTS 32u /* the client waits for 100 (Continue) */

enum bj_reason {
  BJ_DISCONNECTED = 1, /* reset, or closed before the message was complete */
  BJ_TIMED_OUT = 2,
  BJ_MALFORMED = 3, /* the body's framing is broken */
  BJ_TOO_LARGE = 4, /* the body exceeds its limit */
  BJ_CLOSED = 5,    /* an earlier answer closed the connection */
  BJ_EXPIRED = 6,   /* request_timeout is over */
  BJ_SHED = 7,      /* its connection held too much of max_buffered */
  BJ_CUT = 8,       /* its answer could not be completed */
};

enum bj_method {
  BJ_OTHER = 0,
  BJ_GET = 1,
  BJ_HEAD = 2,
  BJ_POST = 3,
  BJ_PUT = 4,
  BJ_DELETE = 5,
  BJ_OPTIONS = 6,
  BJ_PATCH = 7,
};

/* What the caller wants done. Offsets are into the output memory. A command for a request that has
 * ended in the meantime is ignored. */
typedef struct bj_command {
  uint32_t type; /* enum bj_command_type */
  uint32_t request;
  uint32_t generation;
  uint32_t flags; /* BJ_WRITE_* */
  uint32_t status;
  uint32_t fields_at; /* "name: value" lines, each with its CRLF */
  uint32_t fields_size;
  uint32_t body_at;    /* BJ_CONSUME: unused; with BJ_WRITE_FILE: a descriptor */
  uint32_t body_size;  /* BJ_CONSUME: bytes that the handler has taken */
  uint32_t length_low; /* with BJ_WRITE_LENGTH: the Content-Length; 64 bits in two words */
  uint32_t length_high;
  uint32_t offset_low; /* with BJ_WRITE_FILE: where the body begins in the file */
  uint32_t offset_high;
  uint32_t backlog; /* out, unless BJ_WRITE_END: bytes not sent yet */
} bj_command;

enum bj_command_type {
  BJ_WRITE = 1,   /* a part of the answer, or all of it */
  BJ_CONSUME = 2, /* the handler reads the body: send 100 (Continue), read on */
  BJ_ABORT = 3,   /* cut the connection: the answer cannot be completed */
  BJ_LIMIT = 4,   /* the body may have `length` bytes; more is refused, as with max_body */
};

/* With BJ_CONSUME: from here on the caller reads the body by bj_server_read(), if its length is
 * known; what came before still comes as BJ_BODY. Called pulling in csrc/pull and the rest in
 * server/body. */
#define BJ_CONSUME_REST 1u

#define BJ_WRITE_HEAD 1u     /* starts with the status line and fields */
#define BJ_WRITE_END 2u      /* ends the answer */
#define BJ_WRITE_LENGTH 4u   /* the length is known before the body */
#define BJ_WRITE_CLOSE 8u    /* close the connection after this answer */
#define BJ_WRITE_DATE 16u    /* the fields include a Date */
#define BJ_WRITE_REASON 32u  /* the first line of the fields is the reason phrase */
#define BJ_WRITE_NOTIFY 64u  /* on any part: report the end by BJ_SENT or BJ_ABORTED */
#define BJ_WRITE_FILE 128u   /* with the first three: the body is a file, which is then closed */
#define BJ_WRITE_FAILED 256u /* the handler failed: for the counters only */
#define BJ_WRITE_DIRECT 512u /* with head and length: the body comes by bj_server_write() */

/* Above this backlog the caller has to wait for BJ_DRAINED. */
#define BJ_HIGH_WATER 65536u

/* What is counted. The first BJ_STATSD_COUNTERS are those of the Python bjoern: "conn.accept.error"
 * and so on. */
enum bj_counter {
  BJ_CONN_ACCEPT_ERROR = 0,
  BJ_CONN_ACCEPT_SUCCESS = 1,
  BJ_REQ_ERROR_CLIENT_DISCONNECTED = 2, /* closed in the middle of a request */
  BJ_REQ_ERROR_READ = 3,                /* the connection broke in the middle of a request */
  BJ_REQ_ERROR_PARSE = 4,               /* refused by the library */
  BJ_REQ_ERROR_INTERNAL = 5,            /* the handler failed or took too long */
  BJ_REQ_SUCCESS_READ = 6,              /* complete with its body */
  BJ_REQ_ACTIVE = 7,                    /* a read that does not complete a request */
  BJ_REQ_DONE = 8,                      /* complete or refused */
  BJ_REQ_ABORTED = 9,                   /* not completed by the client */
  BJ_RESP_ACTIVE = 10,                  /* a write that does not complete an answer */
  BJ_RESP_DONE = 11,
  BJ_RESP_DONE_KEEPALIVE = 12,
  BJ_RESP_CONN_CLOSE = 13,
  BJ_RESP_ABORTED = 14, /* cut short by the handler, the client or the server's end */
  BJ_CONNECTIONS_OPEN = 15,
  BJ_REQUESTS_IN_FLIGHT = 16, /* handed over and not yet answered */
  BJ_BYTES_RECEIVED = 17,
  BJ_BYTES_SENT = 18,
  BJ_TIMEOUTS = 19,         /* all but of idle connections */
  BJ_CONN_PROXY_ERROR = 20, /* connections that bj_server_proxied() has refused */
  BJ_BYTES_BUFFERED = 21,   /* bytes that wait, here or with the caller: see max_buffered */
  BJ_CONN_SHED = 22,        /* connections closed to free some of it */
  BJ_DURATION_SUM = 23,     /* microseconds, over all of BJ_DURATION */
  BJ_DURATION = 24,         /* answers by time since the request's head: see BJ_DURATIONS */
  BJ_COUNTERS = 41,
};

#define BJ_STATSD_COUNTERS 15u

/* Upper bounds of BJ_DURATION's buckets, in milliseconds; the last bucket has none. */
#define BJ_DURATIONS {.1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000}

/* The BJ_ABI that the library was built with. */
API uint32_t bj_abi(void);

/* libev's version: major in the high half, minor in the low one. */
API uint32_t bj_libev_version(void);

/* The enum bj_backend that a server would use if its options said `wanted`; 0: none. */
API uint32_t bj_backend(uint32_t wanted);

/* Makes a server that listens nowhere yet. The memory is the caller's: `arena`, `fields` (two words
 * a slot) and `events` have the sizes in `options`; from `output` and `commands` the library reads
 * what the caller wrote. NULL with the reason in `error` when the system refuses. */
API bj_server *bj_server_new(const bj_options *options, char *arena, uint32_t *fields,
                             bj_event *events, const char *output, bj_command *commands,
                             char *error);

/* Listens on a TCP address, a Unix path ("unix:/path", of `mode` unless 0) or an abstract name
 * ("unix:@name"). Returns 0, or a negative error number with "call: reason" in `error`; -EALREADY
 * if the server has listened before. */
API int32_t bj_server_listen(bj_server *s, const char *host, uint32_t port, uint32_t backlog,
                             uint32_t reuse_port, uint32_t mode, char *error);

/* Listens as bj_server_listen() does, but leaves accepting to others; "fd:N" duplicates that
 * listening socket. NULL with an error number in `reason` and "call: reason" in `error`. */
API bj_listener *bj_listener_open(const char *host, uint32_t port, uint32_t backlog,
                                  uint32_t reuse_port, uint32_t mode, uint32_t *reason,
                                  char *error);

/* Its descriptor. */
API int32_t bj_listener_fd(const bj_listener *l);

/* Closes it, removes its socket file and frees `l`. */
API void bj_listener_close(bj_listener *l);

/* Writes the local address of a socket: "host", "unix:/path" or "unix:@name". Returns the port, 0
 * for a Unix socket, or -1 if `fd` is no socket. */
API int32_t bj_address(int32_t fd, char *address);

/* Accepts from a listening socket that the caller owns and the server never closes. Returns as
 * bj_server_listen() does. */
API int32_t bj_server_adopt(bj_server *s, int32_t fd, char *error);

/* From here on every connection must begin with a header of the PROXY protocol, version 1 or 2,
 * which names its client. One without it, or of a peer outside `networks` (such as
 * "10.0.0.0/8,::1"; "" for all; a Unix socket counts as 127.0.0.1), is closed without an answer.
 * Needs an arena of 8192. Returns as bj_server_listen() does. */
API int32_t bj_server_proxied(bj_server *s, const char *networks, char *error);

/* Writes where the server listens: "host", "unix:/path" or "unix:@name". Returns the port. */
API uint32_t bj_server_address(bj_server *s, char *address);

/* Writes the local address of a request's connection, or the one that its PROXY header gave.
 * Returns the port, or -1 when the request is over. */
API int32_t bj_server_local(bj_server *s, uint32_t slot, uint32_t generation, char *address);

/* Sends the first BJ_STATSD_COUNTERS counters to a statsd server, every `interval` milliseconds in
 * which something was counted: "<prefix>conn.accept.success:1|c<suffix>". Returns as
 * bj_server_listen() does; -EALREADY if there is such a server already. */
API int32_t bj_server_statsd(bj_server *s, const char *host, uint32_t port, const char *prefix,
                             const char *suffix, uint32_t interval, char *error);

/* Does all that is ready, without waiting. Returns the number of events. */
API uint32_t bj_server_turn(bj_server *s);

/* Carries out `count` commands and sends. */
API void bj_server_flush(bj_server *s, uint32_t count);

/* Carries out `count` commands; more follow before bj_server_flush(), so that what belongs to one
 * connection leaves together. */
API void bj_server_collect(bj_server *s, uint32_t count);

/* Sends more of an answer that was begun with BJ_WRITE_DIRECT, straight from `body` and as far as
 * the socket takes it; the last byte ends the answer. Returns how many bytes are dealt with: all if
 * the request is over. If some are left, BJ_DRAINED says when to go on. Also sends what was
 * collected. */
API uint32_t bj_server_write(bj_server *s, uint32_t slot, uint32_t generation, const char *body,
                             uint32_t size);

/* After BJ_READABLE: reads up to `size` bytes of the request's body straight from the connection.
 * Returns how many. Another event reports more of them, or why there are none. */
API uint32_t bj_server_read(bj_server *s, uint32_t slot, uint32_t generation, char *to,
                            uint32_t size);

/* Waits until the next turn has work, for `micros` microseconds at most. Returns how many of these
 * are left, at least 1, or 0 if there is still no work. */
API uint32_t bj_server_wait(bj_server *s, uint32_t micros);

/* The descriptor that receives one byte each time a parked server has work. The caller owns and
 * closes it. */
API int32_t bj_server_wake_fd(bj_server *s);

/* Asks to be woken when the next turn has work. Returns 0, or 1 when there is work already. */
API uint32_t bj_server_park(bj_server *s);

/* Stops accepting, lets requests finish, and once `patience` milliseconds have passed closes its
 * side of connections that are idle; when the clients have closed theirs, or two seconds later,
 * BJ_STOPPED comes. May be called again with another patience. */
API void bj_server_drain(bj_server *s, uint32_t patience);

/* Copies the BJ_COUNTERS counters. */
API void bj_server_counters(bj_server *s, double *counters);

/* Closes the listening socket and every connection now. After this only bj_server_counters() and
 * bj_server_free() may be called. */
API void bj_server_close(bj_server *s);

/* Closes everything and frees `s`. */
API void bj_server_free(bj_server *s);

/* Opens a regular file for reading. Returns its descriptor, with its size in bytes, its mtime in
 * milliseconds and the descriptor's position in `facts`, and its path without links in `real_path`
 * ("" where the system does not tell). Fails as bj_server_listen() does. */
API int32_t bj_file_open(const char *path, double *facts, char *real_path, char *error);

/* The same for a duplicate of the caller's descriptor, without the path. */
API int32_t bj_file_adopt(int32_t fd, double *facts, char *error);

/* Reads up to `size` bytes from a 64-bit offset. Returns how many, or a negative error number. */
API int32_t bj_file_read(int32_t fd, char *to, uint32_t size, uint32_t offset_low,
                         uint32_t offset_high);

API void bj_file_close(int32_t fd);

/* Copies this process's command line, each argument with its NUL. Returns the size, or a negative
 * error number; -ERANGE when there may be more than `size`. */
API int32_t bj_command_line(char *to, uint32_t size);

#endif
