// Reads what a shared library says about itself: 64-bit little-endian ELF (Linux) or Mach-O
// (macOS).
import type { Buffer } from "node:buffer";

export interface Binary {
  /** The libraries it loads. */
  needs: string[];
  /** The symbol versions it needs of them (Linux), or the oldest macOS. */
  versions: string[];
  /** The functions it exports. */
  exports: string[];
  /** What was not stripped: symbols and debug sections. */
  ballast: string[];
  /** Why the system could not load it, or should not. */
  faults: string[];
}

/** A string that ends in NUL. */
function text(octets: Buffer, at: number): string {
  return octets.toString("latin1", at, octets.indexOf(0, at));
}

const u64 = (octets: Buffer, at: number) => Number(octets.readBigUInt64LE(at));

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

// Values from the ELF specification and from elf.h for the GNU extensions.
const PT_LOAD = 1, PT_DYNAMIC = 2, PT_GNU_STACK = 0x6474e551, PF_X = 1;
const DT_NEEDED = 1, DT_HASH = 4, DT_STRTAB = 5, DT_SYMTAB = 6;
const DT_VERNEED = 0x6ffffffe, DT_VERNEEDNUM = 0x6fffffff;

function readElf(octets: Buffer): Binary {
  const segments = range(octets.readUInt16LE(56)).map((i) => u64(octets, 32) + 56 * i).map((
    at,
  ) => ({
    type: octets.readUInt32LE(at),
    flags: octets.readUInt32LE(at + 4),
    offset: u64(octets, at + 8),
    address: u64(octets, at + 16),
    size: u64(octets, at + 32),
  }));
  const place = (address: number) => {
    const within = segments.find((it) =>
      it.type === PT_LOAD && address >= it.address && address < it.address + it.size
    )!;
    return address - within.address + within.offset;
  };
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)!;
  const entries = range(dynamic.size / 16).map((i) => dynamic.offset + 16 * i)
    .map((at) => [u64(octets, at), u64(octets, at + 8)]);
  const entry = (tag: number) => entries.find(([each]) => each === tag)?.[1];
  const at = (tag: number) => place(entry(tag)!);
  const name = (offset: number) => text(octets, at(DT_STRTAB) + offset);

  const versions: string[] = [];
  let file = entry(DT_VERNEED) === undefined ? 0 : at(DT_VERNEED);
  for (let i = 0; i < (entry(DT_VERNEEDNUM) ?? 0); i++) {
    let version = file + octets.readUInt32LE(file + 8);
    for (let j = 0; j < octets.readUInt16LE(file + 2); j++) {
      versions.push(name(octets.readUInt32LE(version + 8)));
      version += octets.readUInt32LE(version + 12);
    }
    file += octets.readUInt32LE(file + 12);
  }

  const symbols = range(octets.readUInt32LE(at(DT_HASH) + 4)).slice(1)
    .map((i) => at(DT_SYMTAB) + 24 * i).filter((at) => octets.readUInt16LE(at + 6) !== 0);
  const section = (i: number) => u64(octets, 40) + 64 * i;
  const names = u64(octets, section(octets.readUInt16LE(62)) + 24);
  return {
    needs: entries.filter(([tag]) => tag === DT_NEEDED).map(([, offset]) => name(offset)),
    versions,
    exports: symbols.map((at) => name(octets.readUInt32LE(at))),
    ballast: range(octets.readUInt16LE(60))
      .map((i) => text(octets, names + octets.readUInt32LE(section(i))))
      .filter((name) => /^\.(symtab|debug)/.test(name)),
    faults: segments.some(({ type, flags }) => type === PT_GNU_STACK && !(flags & PF_X))
      ? []
      : ["its stack is executable"],
  };
}

// Values from mach-o/loader.h and mach-o/nlist.h.
const LC_SYMTAB = 0x2, LC_LOAD_DYLIB = 0xc, LC_CODE_SIGNATURE = 0x1d, LC_BUILD_VERSION = 0x32;
const CPU_TYPE_ARM64 = 0x0100000c;
const N_STAB = 0xe0, N_PEXT = 0x10, N_TYPE = 0x0e, N_EXT = 0x01;

function readMachO(octets: Buffer): Binary {
  let at = 32;
  const commands = range(octets.readUInt32LE(16)).map(() => {
    const command = { type: octets.readUInt32LE(at), at };
    at += octets.readUInt32LE(at + 4);
    return command;
  });
  const all = (wanted: number) => commands.filter(({ type }) => type === wanted);
  const [table] = all(LC_SYMTAB);
  const texts = octets.readUInt32LE(table.at + 16);
  const symbols = range(octets.readUInt32LE(table.at + 12))
    .map((i) => octets.readUInt32LE(table.at + 8) + 16 * i)
    .map((at) => ({ name: text(octets, texts + octets.readUInt32LE(at)), type: octets[at + 4] }));
  return {
    needs: all(LC_LOAD_DYLIB).map(({ at }) => text(octets, at + octets.readUInt32LE(at + 8))),
    versions: all(LC_BUILD_VERSION).map(({ at }) => `${octets[at + 14]}.${octets[at + 13]}`),
    exports: symbols
      .filter(({ type }) => (type & (N_EXT | N_PEXT | N_STAB)) === N_EXT && type & N_TYPE)
      .map(({ name }) => name.replace(/^_/, ""))
      .filter((name) => !["_mh_dylib_header", "__dso_handle"].includes(name)), // the linker's own
    ballast: symbols.filter(({ type }) => type & N_STAB).map(({ name }) => name),
    faults: octets.readUInt32LE(4) === CPU_TYPE_ARM64 && all(LC_CODE_SIGNATURE).length !== 1
      ? ["it is not signed"]
      : [],
  };
}

/** Reads either format. */
export function readBinary(octets: Buffer): Binary {
  return octets.readUInt32BE(0) === 0x7f454c46 ? readElf(octets) : readMachO(octets);
}
