/** Most flashes that one message may ask for without naming their devices: more than a home has are a mistake. */
export const ASKED_AT_ONCE = 200;
