/* Of macOS: macos.h has all of it. */
