import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { HomeAssistant } from './home-assistant';

const LIMIT_MS = 90_000;
const NAME = 'Test phone';

export interface PhoneNotification {
  readonly title?: string;
  readonly message: string;
  readonly data?: { readonly tag?: string; readonly actions?: readonly { action: string; title: string }[] };
}

/** A phone with the Home Assistant app: it registers, and takes its notifications over the WebSocket. */
export class Phone {
  /** In the order in which they came, those included that only take another away. */
  readonly heard: PhoneNotification[] = [];
  private readonly screen = new Map<string, PhoneNotification>();
  private readonly news = new EventEmitter().setMaxListeners(50);

  private constructor(
    private readonly ha: HomeAssistant,
    private readonly webhookId: string,
    /** Of Home Assistant's device registry, as a blueprint takes it. */
    readonly deviceId: string,
  ) {}

  static async register(ha: HomeAssistant): Promise<Phone> {
    const { webhook_id } = (await ha.api.post('/api/mobile_app/registrations', {
      ...{ app_id: 'test', app_name: 'Test', app_version: '1', device_id: 'test-phone', device_name: NAME },
      ...{ manufacturer: 'Test', model: 'Test', os_name: 'Test', os_version: '1', supports_encryption: false },
      app_data: { push_websocket_channel: true },
    })) as { webhook_id: string };
    const devices = (await ha.api.ask({ type: 'config/device_registry/list' })) as { id: string; name: string }[];
    const device = devices.find(({ name }) => name === NAME);
    assert.ok(device, 'the phone is no device');
    const phone = new Phone(ha, webhook_id, device.id);
    const channel = { type: 'mobile_app/push_notification_channel', webhook_id };
    await ha.api.subscribe(channel, (notification) => phone.note(notification));
    return phone;
  }

  /** The notifications on its screen. */
  shown(): PhoneNotification[] {
    return [...this.screen.values()];
  }

  /** Waits until a notification stands on the screen, among those that came from the `from`-th on. */
  async shows(wanted: (notification: PhoneNotification) => boolean, from = 0): Promise<PhoneNotification> {
    const found = (): PhoneNotification | undefined => this.heard.slice(from).find(wanted);
    await this.until(() => found() !== undefined);
    return found() as PhoneNotification;
  }

  /** Waits until nothing like that stands on the screen any more. */
  async dropped(like: (notification: PhoneNotification) => boolean): Promise<void> {
    await this.until(() => !this.shown().some(like));
  }

  /** Presses a button of a notification, which then goes from the screen. */
  async press({ data }: PhoneNotification, title: string): Promise<void> {
    const pressed = data?.actions?.find((one) => one.title === title);
    assert.ok(pressed, `there is no ${title}`);
    this.screen.delete(data?.tag ?? '');
    await this.ha.api.post(`/api/webhook/${this.webhookId}`, {
      type: 'fire_event',
      data: {
        event_type: 'mobile_app_notification_action',
        event_data: { action: pressed.action, tag: data?.tag },
      },
    });
  }

  private note(notification: PhoneNotification): void {
    const tag = notification.data?.tag ?? '';
    this.heard.push(notification);
    if (notification.message === 'clear_notification') this.screen.delete(tag);
    else this.screen.set(tag, notification);
    this.news.emit('notification');
  }

  private async until(isSo: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(LIMIT_MS);
    while (!isSo()) {
      try {
        await once(this.news, 'notification', { signal: late });
      } catch {
        throw new Error(`the phone does not show it:\n${JSON.stringify(this.heard, null, 1)}`);
      }
    }
  }
}
