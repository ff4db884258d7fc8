/** Each timeout of the server in milliseconds. */
export const TIMEOUT = 2000;

/** Bytes of an answer too large for the kernel's buffers. */
export const LARGE: number = 8 << 20;
