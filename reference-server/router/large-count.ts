/**
 * Zero, for counts that outgrow 31 bits. V8 keeps the field of an object as a small integer until it holds anything else,
 * and then throws away all code that it compiled for such objects: that of the whole path of a message, 2 GiB after a
 * pipe's opening. Negative zero is no small integer, and is zero to everybody else.
 */
export const LARGE_COUNT = -0;
