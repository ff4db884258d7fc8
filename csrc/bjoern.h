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

/* Grows whenever a record, an option or a function changes; the binding refuses another one. */
#define BJ_ABI 6
#define BJ_ERROR_SIZE 256   /* octets, with the closing NUL, behind every `char *error` */
#define BJ_ADDRESS_SIZE 128 /* octets behind every `char *address` */
#define BJ_PATH_SIZE 4096   /* octets behind every `char *real_path` */

typedef struct bj_server bj_server;
typedef struct bj_listener bj_listener;

/* Sizes are in octets, times in milliseconds; a time or a count of 0 means no limit. There must be
 * at least 3 event slots, max_fields field slots, and an arena of max_head_size + 4096. */
typedef struct bj_options {
  uint32_t arena_size;      /* received octets of one turn */
  uint32_t field_slots;     /* header fields of one turn */
  uint32_t event_slots;     /* events of one turn */
  uint32_t max_head_size;   /* request line and fields; 431 */
  uint32_t max_target_size; /* 414 */
  uint32_t max_fields;      /* 431 */
  uint32_t max_body_low;    /* 413; 64 bits in two words */
  uint32_t max_body_high;
  uint32_t max_connections; /* the rest waits in the backlog */
  uint32_t max_requests;    /* on one connection, then it closes */
  uint32_t max_pipelined;   /* requests of one connection in flight */
  uint32_t head_timeout;    /* 408 */
  uint32_t body_timeout;    /* 408 */
  uint32_t idle_timeout;    /* told in Keep-Alive, in whole seconds, if there are any */
  uint32_t write_timeout;
  uint32_t min_body_rate;   /* octets a second, by which what arrives extends body_timeout */
  uint32_t min_write_rate;  /* the same of what the client takes, and write_timeout */
  uint32_t request_timeout; /* to the last octet of its answer; 408, 503 or a cut connection */
  uint32_t max_buffered;    /* in all connections; then those with the most of it are closed */
  uint32_t backend;         /* enum bj_backend */
  uint32_t secure_targets;  /* 1: gateways may ask for "https://..."; else 421 */
} bj_options;

/* What libev waits with. Its own numbers, which LIBEV_FLAGS takes too. */
enum bj_backend {
  BJ_BACKEND_AUTO = 0, /* by LIBEV_FLAGS if that is set, else the best one */
  BJ_BACKEND_SELECT = 1,
  BJ_BACKEND_POLL = 2,
  BJ_BACKEND_EPOLL = 4,
  BJ_BACKEND_KQUEUE = 8,
};

/* What a turn found. Offsets count from the start of the arena and hold until the next turn. */
typedef struct bj_event {
  uint32_t type;       /* enum bj_event_type */
  uint32_t request;    /* with `generation`, names the request in later records */
  uint32_t generation; /* grows each time that `request` is used again */
  uint32_t flags;      /* BJ_EVENT_*; for BJ_ABORTED an enum bj_reason */
  uint32_t head_at;    /* the request line and fields */
  uint32_t head_size;
  uint32_t method; /* enum bj_method in the low half, octets of the name in the high half */
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
  BJ_ABORTED = 3,  /* it ended early; nothing more comes and no answer is taken */
  BJ_DRAINED = 4,  /* its answer may be continued */
  BJ_SENT = 5,     /* the last octet of an answer with BJ_WRITE_NOTIFY is with the kernel */
  BJ_LEFT = 6,     /* the client closed its side; an answer may still reach it */
  BJ_STOPPED = 7,  /* draining is over: no connection is left */
  BJ_READABLE = 8, /* `body_size` octets of its body may be read: see BJ_CONSUME_REST */
};

#define BJ_EVENT_BODY 1u     /* the request has a body */
#define BJ_EVENT_END 2u      /* this was the last of it */
#define BJ_EVENT_ABSOLUTE 4u /* the target is in absolute-form */
#define BJ_EVENT_ODD 8u      /* the target changes when it is normalised as a URL */
#define BJ_EVENT_HTTP10 16u
#define BJ_EVENT_EXPECTS 32u /* the client waits for 100 (Continue) */

enum bj_reason {
  BJ_DISCONNECTED = 1, /* reset, or closed before the message was complete */
  BJ_TIMED_OUT = 2,
  BJ_MALFORMED = 3, /* the body broke its framing */
  BJ_TOO_LARGE = 4, /* the body passed its limit */
  BJ_CLOSED = 5,    /* an earlier answer closed the connection */
  BJ_EXPIRED = 6,   /* request_timeout is over */
  BJ_SHED = 7,      /* its connection had too much of max_buffered */
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

/* What the caller wants done. Offsets count from the start of the output memory. A command for a
 * request that has ended in the meantime is passed over. */
typedef struct bj_command {
  uint32_t type; /* enum bj_command_type */
  uint32_t request;
  uint32_t generation;
  uint32_t flags; /* BJ_WRITE_* */
  uint32_t status;
  uint32_t fields_at; /* "name: value" lines, each with its CRLF */
  uint32_t fields_size;
  uint32_t body_at;    /* BJ_CONSUME: unused; with BJ_WRITE_FILE: a descriptor */
  uint32_t body_size;  /* BJ_CONSUME: octets that the handler has taken */
  uint32_t length_low; /* with BJ_WRITE_LENGTH: the Content-Length; 64 bits in two words */
  uint32_t length_high;
  uint32_t offset_low; /* with BJ_WRITE_FILE: where the body begins in the file */
  uint32_t offset_high;
  uint32_t backlog; /* set by bj_server_flush() unless BJ_WRITE_END: octets that wait */
} bj_command;

enum bj_command_type {
  BJ_WRITE = 1,   /* a part of the answer, or all of it */
  BJ_CONSUME = 2, /* the handler reads the body: send 100 (Continue), read on */
  BJ_ABORT = 3,   /* cut the connection: the answer cannot be completed */
  BJ_LIMIT = 4,   /* the body may have `length` octets; if it has more, as with max_body */
};

/* With BJ_CONSUME: from now on the caller reads the body by bj_server_read(), if its length is
 * known. What has come before still comes as BJ_BODY. */
#define BJ_CONSUME_REST 1u

#define BJ_WRITE_HEAD 1u     /* starts with the status line and fields */
#define BJ_WRITE_END 2u      /* ends the answer */
#define BJ_WRITE_LENGTH 4u   /* the length is known before the body */
#define BJ_WRITE_CLOSE 8u    /* close the connection after this answer */
#define BJ_WRITE_DATE 16u    /* the fields have a Date */
#define BJ_WRITE_REASON 32u  /* the first line of the fields is the reason phrase */
#define BJ_WRITE_NOTIFY 64u  /* of any part: tell when all is sent, BJ_SENT or BJ_ABORTED */
#define BJ_WRITE_FILE 128u   /* with the three first: the body is of a file, which is then closed */
#define BJ_WRITE_FAILED 256u /* the handler has failed: only counted */
#define BJ_WRITE_DIRECT 512u /* with head and length: the body comes by bj_server_write() */

/* A backlog above this makes the caller wait for BJ_DRAINED. */
#define BJ_HIGH_WATER 65536u

/* What is counted. The first BJ_STATSD_COUNTERS are bjoern's own: "conn.accept.error" and so on. */
enum bj_counter {
  BJ_CONN_ACCEPT_ERROR = 0,
  BJ_CONN_ACCEPT_SUCCESS = 1,
  BJ_REQ_ERROR_CLIENT_DISCONNECTED = 2, /* in the middle of a request */
  BJ_REQ_ERROR_READ = 3,                /* the same, as the kernel has it */
  BJ_REQ_ERROR_PARSE = 4,               /* refused with an error of the library's own */
  BJ_REQ_ERROR_INTERNAL = 5,            /* the handler has failed */
  BJ_REQ_SUCCESS_READ = 6,              /* complete, with its body */
  BJ_REQ_ACTIVE = 7,                    /* octets that do not complete a request */
  BJ_REQ_DONE = 8,                      /* complete or refused */
  BJ_REQ_ABORTED = 9,                   /* not completed by the client */
  BJ_RESP_ACTIVE = 10,                  /* a part that does not complete an answer */
  BJ_RESP_DONE = 11,
  BJ_RESP_DONE_KEEPALIVE = 12,
  BJ_RESP_CONN_CLOSE = 13,
  BJ_RESP_ABORTED = 14, /* cut short by the handler, the client or the end */
  BJ_CONNECTIONS_OPEN = 15,
  BJ_REQUESTS_IN_FLIGHT = 16, /* handed over and not yet answered */
  BJ_BYTES_RECEIVED = 17,
  BJ_BYTES_SENT = 18,
  BJ_TIMEOUTS = 19,         /* of what was in the middle of something */
  BJ_CONN_PROXY_ERROR = 20, /* connections without a header that bj_server_proxied() asks for */
  BJ_BYTES_BUFFERED = 21,   /* memory of connections for octets that wait: see max_buffered */
  BJ_CONN_SHED = 22,        /* connections closed to have less of it */
  BJ_DURATION_SUM = 23,     /* microseconds, of all in BJ_DURATION */
  BJ_DURATION = 24,         /* answers by time since their head: BJ_DURATIONS classes */
  BJ_COUNTERS = 41,
};

#define BJ_STATSD_COUNTERS 15u

/* Milliseconds: upper bounds of the classes of BJ_DURATION; the last class has none. */
#define BJ_DURATIONS {.1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000}

/* The BJ_ABI that the library was built with. */
API uint32_t bj_abi(void);

/* libev's version: major in the high half, minor in the low one. */
API uint32_t bj_libev_version(void);

/* The enum bj_backend that a server would use with this one in its options; 0 when it cannot. */
API uint32_t bj_backend(uint32_t wanted);

/* Makes a server that listens nowhere yet. The memory is the caller's: `arena`, `fields` (two words
 * a slot) and `events` have the sizes that `options` names; of `output` and `commands` the library
 * reads what the caller has written. NULL with the reason in `error` when the system refuses. */
API bj_server *bj_server_new(const bj_options *options, char *arena, uint32_t *fields,
                             bj_event *events, const char *output, bj_command *commands,
                             char *error);

/* Listens on a TCP address, a Unix path ("unix:/path", of `mode` unless 0) or an abstract name
 * ("unix:@name"). Returns 0, or a negative error number with "call: reason" in `error`; -EALREADY
 * when the server has listened before. */
API int32_t bj_server_listen(bj_server *s, const char *host, uint32_t port, uint32_t backlog,
                             uint32_t reuse_port, uint32_t mode, char *error);

/* Listens as bj_server_listen() does, for others to accept; with "fd:N" it has a duplicate of that
 * listening socket. NULL with an error number in `reason`
 * and "call: reason" in `error`. */
API bj_listener *bj_listener_open(const char *host, uint32_t port, uint32_t backlog,
                                  uint32_t reuse_port, uint32_t mode, uint32_t *reason,
                                  char *error);

/* Its descriptor. */
API int32_t bj_listener_fd(const bj_listener *l);

/* Closes it, removes its socket file and frees `l`. */
API void bj_listener_close(bj_listener *l);

/* Writes the local address of a socket: "host", "unix:/path" or "unix:@name". Returns the port, 0
 * for a Unix socket, or -1 when it is none at all. */
API int32_t bj_address(int32_t fd, char *address);

/* Accepts from a listening socket that the caller owns and the server never closes. Returns as
 * bj_server_listen() does. */
API int32_t bj_server_adopt(bj_server *s, int32_t fd, char *error);

/* Has every connection begin with a header of the PROXY protocol, version 1 or 2, which says whose
 * it is; any other is closed without an answer, and so is that of a peer outside of `networks`,
 * such as "10.0.0.0/8,::1" ("" for all; a Unix socket counts as 127.0.0.1). Needs an arena of 8192.
 * Returns as bj_server_listen() does. */
API int32_t bj_server_proxied(bj_server *s, const char *networks, char *error);

/* Writes where the server listens: "host", "unix:/path" or "unix:@name". Returns the port. */
API uint32_t bj_server_address(bj_server *s, char *address);

/* Writes the address at which the connection of a request arrived, as the PROXY protocol tells it.
 * Returns the port, or -1 when the connection is gone. */
API int32_t bj_server_local(bj_server *s, uint32_t slot, uint32_t generation, char *address);

/* Has the first BJ_STATSD_COUNTERS counters sent to a statsd server, every `interval` milliseconds
 * in which there was something to count: "<prefix>conn.accept.success:1|c<suffix>". Returns as
 * bj_server_listen() does; -EALREADY when one is told before. */
API int32_t bj_server_statsd(bj_server *s, const char *host, uint32_t port, const char *prefix,
                             const char *suffix, uint32_t interval, char *error);

/* Does everything that is ready without waiting. Returns the number of events. */
API uint32_t bj_server_turn(bj_server *s);

/* Carries out `count` commands and sends. */
API void bj_server_flush(bj_server *s, uint32_t count);

/* Carries out `count` commands, of which more are to come before bj_server_flush(): so that what
 * belongs to one connection leaves together. */
API void bj_server_collect(bj_server *s, uint32_t count);

/* Sends more of an answer that was begun with BJ_WRITE_DIRECT, straight from `body` and as far as
 * the socket takes it; the last octet ends the answer. Returns how many octets it took. If that is
 * not all, BJ_DRAINED tells when to go on with the rest. What was collected is sent as well. */
API uint32_t bj_server_write(bj_server *s, uint32_t slot, uint32_t generation, const char *body,
                             uint32_t size);

/* After BJ_READABLE: reads up to `size` octets of the request's body straight from the connection.
 * Returns how many. More of them, or the reason why there are none, come with another event. */
API uint32_t bj_server_read(bj_server *s, uint32_t slot, uint32_t generation, char *to,
                            uint32_t size);

/* Waits until the next turn has work, for `micros` microseconds at most. Returns how many of them
 * are left, at least 1; 0 when there is no work yet. */
API uint32_t bj_server_wait(bj_server *s, uint32_t micros);

/* The descriptor that becomes readable (one octet a time) after bj_server_park(). The caller owns
 * and closes it. */
API int32_t bj_server_wake_fd(bj_server *s);

/* Asks to be woken when the next turn has work. Returns 0, or 1 when there is work already. */
API uint32_t bj_server_park(bj_server *s);

/* Stops accepting, closes its side of connections that have been idle for `patience` milliseconds
 * from now, and lets requests finish; then, once the clients have closed theirs or two seconds have
 * passed, comes BJ_STOPPED. May be called again, for another patience. */
API void bj_server_drain(bj_server *s, uint32_t patience);

/* Copies the BJ_COUNTERS counters. */
API void bj_server_counters(bj_server *s, double *counters);

/* Closes the listening socket and every connection now. Only the counters may be asked for after
 * this, and bj_server_free(). */
API void bj_server_close(bj_server *s);

/* Closes everything and frees `s`. */
API void bj_server_free(bj_server *s);

/* Opens a regular file for reading. Returns its descriptor; in `facts` its size in octets, the time
 * of its last change in milliseconds and the descriptor's position; and the path at which it really
 * lies, free of links, in `real_path` ("" where the system does not tell). Returns as
 * bj_server_listen() does on failure.
 */
API int32_t bj_file_open(const char *path, double *facts, char *real_path, char *error);

/* The same for a descriptor of the caller's, which is duplicated; nothing is said of its path. */
API int32_t bj_file_adopt(int32_t fd, double *facts, char *error);

/* Reads up to `size` octets from an offset of 64 bits. Returns how many, or a negative error
 * number. */
API int32_t bj_file_read(int32_t fd, char *to, uint32_t size, uint32_t offset_low,
                         uint32_t offset_high);

API void bj_file_close(int32_t fd);

/* Copies this process's command line, each argument with its NUL. Returns the octets, or a negative
 * error number; -ERANGE when there may be more than `size`. */
API int32_t bj_command_line(char *to, uint32_t size);

#endif
