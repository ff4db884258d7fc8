//! `zig build` makes the library of this machine, `zig build test` runs the C tests,
//! `zig build dist` makes the library of every platform.
const std = @import("std");
const builtin = @import("builtin");

/// The oldest systems supported. The baseline of macOS and arm64 has all the instructions we use.
const platforms = [_]struct { name: []const u8, triple: []const u8, cpu: []const u8 = "baseline" }{
    .{ .name = "linux-x64", .triple = "x86_64-linux-gnu.2.17", .cpu = "x86_64_v2" },
    .{ .name = "linux-arm64", .triple = "aarch64-linux-gnu.2.17" },
    .{ .name = "linux-x64-musl", .triple = "x86_64-linux-musl", .cpu = "x86_64_v2" },
    .{ .name = "linux-arm64-musl", .triple = "aarch64-linux-musl" },
    .{ .name = "darwin-x64", .triple = "x86_64-macos.11.0" },
    .{ .name = "darwin-arm64", .triple = "aarch64-macos.11.0" },
};

const our_files = [_][]const u8{
    "acceptor.c", "authority.c", "body.c",     "buffer.c",  "chunked.c",  "command.c", "command_line.c",
    "conn.c",     "deadlines.c", "exchange.c", "failure.c", "file.c",     "gate.c",    "input.c",
    "library.c",  "listener.c",  "networks.c", "octets.c",  "output.c",   "parking.c", "pressure.c",
    "proxy.c",    "pull.c",      "registry.c", "request.c", "response.c", "server.c",  "socket.c",
    "statsd.c",   "status.c",    "turn.c",
};
const our_flags = [_][]const u8{
    "-std=c11",             "-D_GNU_SOURCE", "-Wall",   "-Wextra",
    "-Wshadow",             "-Wconversion",  "-Werror", "-fvisibility=hidden",
    // libev accesses a watcher through pointers to other watcher types.
    "-fno-strict-aliasing",
};

/// loop.c is our own, but includes all of libev.
const third_party_files = [_][]const u8{ "csrc/loop.c", "third_party/picohttpparser/picohttpparser.c" };
const third_party_flags = [_][]const u8{ "-std=gnu11", "-w", "-fno-strict-aliasing", "-fvisibility=hidden" };

pub fn build(b: *std.Build) !void {
    // The result may run on other machines: never tune it to this one's processor.
    const target = b.standardTargetOptions(.{ .default_target = .{
        .cpu_model = if (builtin.cpu.arch == .x86_64) .{ .explicit = &std.Target.x86.cpu.x86_64_v2 } else .baseline,
    } });
    const optimize = b.option(std.builtin.OptimizeMode, "optimize", "Default: ReleaseFast") orelse .ReleaseFast;
    const filter = b.option([]const u8, "filter", "Run only the C tests whose file name has this in it") orelse "";

    b.installArtifact(library(b, .dynamic, target, optimize));

    const run_tests = b.step("test", "Run the C tests, in Debug with the undefined behaviour sanitizer");
    const under_test = library(b, .static, target, .Debug);
    var folder = try b.build_root.handle.openDir(b.graph.io, "tests/c", .{ .iterate = true });
    var entries = folder.iterate();
    while (try entries.next(b.graph.io)) |entry| {
        const is_chosen = std.mem.indexOf(u8, entry.name, filter) != null;
        if (!is_chosen or !std.mem.endsWith(u8, entry.name, "_test.c")) continue;
        const program = b.addExecutable(.{ .name = std.fs.path.stem(entry.name), .root_module = module(b, target, .Debug) });
        program.root_module.addCSourceFile(.{ .file = b.path(b.pathJoin(&.{ "tests/c", entry.name })), .flags = &our_flags });
        program.root_module.linkLibrary(under_test);
        // Tests for another system are only compiled.
        const runs = target.result.os.tag == builtin.os.tag;
        run_tests.dependOn(if (runs) &b.addRunArtifact(program).step else &program.step);
    }

    const dist = b.step("dist", "Build the library of every platform into zig-out/dist/");
    for (platforms) |platform| {
        const query = try std.Target.Query.parse(.{ .arch_os_abi = platform.triple, .cpu_features = platform.cpu });
        const made = library(b, .dynamic, b.resolveTargetQuery(query), .ReleaseFast);
        const place = b.fmt("dist/{s}", .{platform.name});
        dist.dependOn(&b.addInstallArtifact(made, .{ .dest_dir = .{ .override = .{ .custom = place } } }).step);
    }
}

fn library(b: *std.Build, linkage: std.builtin.LinkMode, target: std.Build.ResolvedTarget, optimize: std.builtin.OptimizeMode) *std.Build.Step.Compile {
    const code = module(b, target, optimize);
    code.addCSourceFiles(.{ .root = b.path("csrc"), .files = &our_files, .flags = &our_flags });
    code.addCSourceFiles(.{ .files = &third_party_files, .flags = &third_party_flags });
    const made = b.addLibrary(.{ .name = "bjoern", .linkage = linkage, .root_module = code });
    // Finds undefined symbols now rather than when the library is loaded. (macOS always does.)
    made.link_z_defs = target.result.os.tag == .linux;
    if (unpinned(b)) |fault| made.step.dependOn(&b.addFail(fault).step);
    return made;
}

fn module(b: *std.Build, target: std.Build.ResolvedTarget, optimize: std.builtin.OptimizeMode) *std.Build.Module {
    const made = b.createModule(.{
        .target = target,
        .optimize = optimize,
        .link_libc = true,
        .pic = true,
        .strip = optimize != .Debug,
        // macOS debuggers have frame pointers to go by, and on arm64 the tables took a page of 16
        // KiB.
        .unwind_tables = if (target.result.os.tag == .macos) .none else null,
    });
    made.addIncludePath(b.path("csrc"));
    made.addSystemIncludePath(b.path("third_party/libev"));
    made.addSystemIncludePath(b.path("third_party/picohttpparser"));
    return made;
}

/// What is wrong with the third-party sources. Zig hashes packages only when it downloads them, so
/// every build compares the sources with the pinned sums.
fn unpinned(b: *std.Build) ?[]const u8 {
    var lines = std.mem.tokenizeScalar(u8, @embedFile("scripts/sources.sha256"), '\n');
    while (lines.next()) |line| {
        const expected, const path = .{ line[0..64], line[66..] };
        const text = b.build_root.handle.readFileAlloc(b.graph.io, path, b.allocator, .limited(1 << 20)) catch |err|
            return b.fmt("{s}: {s}. `npm run sources` fetches it.", .{ path, @errorName(err) });
        var digest: [32]u8 = undefined;
        std.crypto.hash.sha2.Sha256.hash(text, &digest, .{});
        const got = std.fmt.bytesToHex(digest, .lower);
        if (!std.mem.eql(u8, &got, expected))
            return b.fmt("{s}: sha256 is {s}, expected {s}. `npm run sources` fetches it anew.", .{ path, &got, expected });
    }
    return null;
}
