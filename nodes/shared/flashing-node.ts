import type { Node } from 'node-red';
import type { WifiToGive } from '../../lib/flash/next-step/give-wifi';

/** A node that flashes, as the step behind the flash sees it. */
export interface FlashingNode extends Node {
  /**
   * What the new firmware is to be given.
   * @throws FlashError what cannot be read of the forms
   */
  afterFlash?(): WifiToGive;
}
