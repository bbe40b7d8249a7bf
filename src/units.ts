/** 2^10 bytes. */
export const kibibyte = 1024;

/** 2^20 bytes. */
export const mebibyte = 1024 * kibibyte;
