/** Milliseconds of each timeout of the server. */
export const TIMEOUT = 2000;

/** Bytes of an answer that fits into no buffer of the kernel's. */
export const LARGE: number = 8 << 20;
