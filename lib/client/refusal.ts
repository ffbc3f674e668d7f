import type { Wording } from '../wordings/wording';

/** A fault of an address or an answer; another try would bring the same. */
export class RequestRefused extends Error {
  constructor(readonly reason: Wording) {
    super(reason.text);
  }
}
