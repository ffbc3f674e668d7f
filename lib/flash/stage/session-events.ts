import { EventEmitter } from 'node:events';
import { FlashError } from '../../errors';
import type { DeviceConnection } from '../../server/device-connection';
import type { Wording } from '../../wordings/wording';

/** The events of one session so far, stored so that none between two looks is lost. Emits `news`. */
export class SessionEvents extends EventEmitter<{ news: [] }> {
  private acknowledgement: number | undefined;
  private isClosed = false;
  private malformed: Wording | undefined;

  constructor(private readonly connection: DeviceConnection) {
    super();
    connection.on('acknowledged', this.onAcknowledged);
    connection.on('malformed', this.onMalformed);
    connection.on('closed', this.onClosed);
  }

  stop(): void {
    this.connection.off('acknowledged', this.onAcknowledged);
    this.connection.off('malformed', this.onMalformed);
    this.connection.off('closed', this.onClosed);
  }

  /**
   * The device's acknowledgement code, or `lost` when the session is gone without one.
   * @throws FlashError `message-malformed` when it is gone after something that was not the protocol
   */
  verdict(): number | 'lost' | undefined {
    if (this.acknowledgement !== undefined) return this.acknowledgement;
    if (!this.isClosed) return undefined;
    if (this.malformed === undefined) return 'lost';
    throw new FlashError('message-malformed', { peer: this.connection.peer, reason: this.malformed });
  }

  clear(): void {
    this.acknowledgement = undefined;
  }

  private readonly onAcknowledged = (error: number): void => {
    this.acknowledgement = error;
    this.emit('news');
  };

  private readonly onMalformed = (reason: Wording): void => {
    this.malformed = reason;
    this.emit('news');
  };

  private readonly onClosed = (): void => {
    this.isClosed = true;
    this.emit('news');
  };
}
