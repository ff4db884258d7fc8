/**
 * The systemd units that `bjoern init` writes.
 *
 * @module
 */

import { NUMBERS } from "../../server/options.ts";

/** Arguments for each runtime. */
export interface Commands {
  /** Arguments of bun. */
  bun: string;
  /** Arguments of deno. */
  deno: string;
}

/** A path in a unit: percent signs start specifiers. */
function escape(path: string): string {
  return path.replaceAll("%", "%%");
}

function quote(path: string): string {
  return escape(/[^\w./@%+-]/.test(path) ? JSON.stringify(path).replaceAll("$", "$$$$") : path);
}

/** The service, run by `runtime` at `executable` and activated by the socket. */
export function service(
  name: string,
  directory: string,
  runtime: keyof Commands,
  executable: string,
  commands: Commands,
): string {
  const other = runtime === "bun" ? "deno" : "bun";
  return `# systemctl enable --now ${name}.socket, once both units are in /etc/systemd/system.
[Unit]
Description=${name}, served by bjoern
Requires=${name}.socket
After=network.target ${name}.socket

[Service]
Type=exec
WorkingDirectory=${escape(directory)}
# The runtime itself: behind bunx or npm, the socket would be passed to the wrong process.
ExecStart=${quote(executable)} ${commands[runtime]}
# ExecStart=/usr/local/bin/${other} ${commands[other]}
# With workers: ExecReload=/bin/kill -HUP $MAINPID
Environment=NODE_ENV=production HOME=%C/${name}
Restart=on-failure
# Invalid options stay invalid.
RestartPreventExitStatus=2
# A little more than drainTimeout.
TimeoutStopSec=${NUMBERS.drainTimeout[0] / 1000 + 5}
KillMode=mixed
LimitNOFILE=65536

# A dynamic user: the directory must be readable by everyone. Otherwise set User=.
DynamicUser=yes
CacheDirectory=${name}
UMask=0027
CapabilityBoundingSet=
NoNewPrivileges=yes
LockPersonality=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=read-only
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
# Not MemoryDenyWriteExecute=yes: both runtimes compile at run time.

[Install]
WantedBy=multi-user.target
`;
}

/** The socket, which stays open before, between and after runs of the service. */
export function socket(name: string): string {
  return `[Unit]
Description=Socket of ${name}

[Socket]
ListenStream=127.0.0.1:${NUMBERS.port[0]}
# ListenStream=/run/${name}.sock
# SocketGroup=www-data
# SocketMode=0660
Backlog=${NUMBERS.listenBacklog[0]}

[Install]
WantedBy=sockets.target
`;
}
