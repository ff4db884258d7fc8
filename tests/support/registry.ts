// A local package registry: what npm, Bun and Deno request from theirs, and `deno publish` from
// JSR. Packages are installed as users do, but without a network.
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { filesBelow } from "../../scripts/files.ts";

interface Manifest {
  name: string;
  version: string;
}

/** An answer: a file's octets, JSON, or nothing. */
type Found = Buffer | object | undefined;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tar(args: string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync("tar", args, { input, maxBuffer: 1 << 28 });
  if (status !== 0) {
    throw new Error(`tar ${args.join(" ")}: ${stderr}`);
  }
  return stdout;
}

/** npm's and JSR's registries in one. */
export class Registry implements AsyncDisposable {
  /** The environment of a program that uses this registry only, with its own caches. */
  readonly env: Record<string, string>;
  /** The folder with what `deno publish` has sent. */
  readonly published: string;
  readonly #server: Server;
  readonly #url: string;
  readonly #tarballs = new Map<string, { manifest: Manifest; octets: Buffer }>();

  private constructor(folder: string, server: Server) {
    this.#server = server;
    this.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    this.published = join(folder, "published");
    const cache = join(folder, "cache");
    this.env = {
      JSR_URL: this.#url,
      NPM_CONFIG_REGISTRY: this.#url,
      npm_config_registry: this.#url,
      npm_config_cache: join(cache, "npm"),
      BUN_CONFIG_REGISTRY: this.#url,
      BUN_INSTALL_CACHE_DIR: join(cache, "bun"),
      DENO_DIR: join(cache, "deno"),
    };
  }

  /** Starts a registry with its files in `folder`. */
  static async start(folder: string): Promise<Registry> {
    const server = createServer((request, response) => void registry.#answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const registry: Registry = new Registry(folder, server);
    return registry;
  }

  /** Adds a package as in npm's registry. */
  add(tarball: string): void {
    const octets = readFileSync(tarball);
    const manifest = JSON.parse(tar(["-xzOf", "-", "package/package.json"], octets).toString());
    this.#tarballs.set(manifest.name, { manifest, octets });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url!, this.#url).pathname);
    const body = await bodyOf(request);
    const found = request.method === "POST" ? this.#publish(body) : this.#find(path);
    response.statusCode = found === undefined ? 404 : 200;
    const isFile = Buffer.isBuffer(found);
    response.setHeader("Content-Type", isFile ? typeOf(path) : "application/json");
    response.end(isFile ? found : JSON.stringify(found ?? {}));
  }

  #find(path: string): Found {
    const [, name, file] = /^\/((?:@[^/]+\/)?[^/@]+)(?:\/(.+))?$/.exec(path) ?? [];
    const { manifest, octets } = this.#tarballs.get(name) ?? {};
    if (file === "package.tgz") {
      return octets;
    }
    if (path.startsWith("/api/")) {
      return this.#task(path);
    }
    if (file !== undefined) {
      return this.#jsr(file);
    }
    return manifest && this.#packument(manifest, octets!);
  }

  /** What npm's registry says about a package. */
  #packument(manifest: Manifest, octets: Buffer): object {
    const { name, version } = manifest;
    const integrity = `sha512-${createHash("sha512").update(octets).digest("base64")}`;
    const dist = { tarball: `${this.#url}${name}/package.tgz`, integrity };
    return {
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
    };
  }

  #publish(tarball: Buffer): object {
    mkdirSync(this.published, { recursive: true });
    tar(["-xzf", "-", "-C", this.published], tarball);
    return { id: "1", status: "pending" };
  }

  /** Answers `deno publish`: the scope and the package exist, this version does not. */
  #task(path: string): Found {
    if (path.includes("/versions/")) {
      return undefined;
    }
    return path.endsWith("/publish_status/1") ? { id: "1", status: "success", error: null } : {};
  }

  /** The files of JSR's one package. */
  #jsr(file: string): Found {
    const read = (path: string) => readFileSync(join(this.published, path));
    const { name, version, exports } = JSON.parse(read("deno.json").toString());
    if (file === "meta.json") {
      const [scope, own] = name.slice(1).split("/");
      return { scope, name: own, latest: version, versions: { [version]: {} } };
    }
    const paths = filesBelow(this.published);
    if (file === `${version}_meta.json`) {
      const entry = (path: string) => {
        const octets = read(path);
        const checksum = `sha256-${createHash("sha256").update(octets).digest("hex")}`;
        return [`/${path}`, { size: octets.length, checksum }];
      };
      return { exports, manifest: Object.fromEntries(paths.map(entry)) };
    }
    const path = file.slice(version.length + 1);
    return paths.includes(path) ? read(path) : undefined;
  }
}

function typeOf(path: string): string {
  const types = { ts: "text/typescript", json: "application/json" };
  return types[path.split(".").at(-1) as keyof typeof types] ?? "application/octet-stream";
}
