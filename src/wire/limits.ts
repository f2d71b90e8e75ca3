/** The largest message of the streams. A fact that needs more is refused at the gate, so the stream never has to. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;
