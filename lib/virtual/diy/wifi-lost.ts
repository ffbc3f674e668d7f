/** Its Wi-Fi is gone, and every connection with it. */
export class WifiLost extends Error {
  constructor() {
    super('Wi-Fi lost');
  }
}
