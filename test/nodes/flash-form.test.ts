import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { readFlashForm, type FlashForm } from '../../nodes/sonota-flash/flash-form';
import { MessageValues } from '../../nodes/shared/messages';
import { Values } from '../../nodes/shared/values';

/** A node, with one behind it that looks for the new firmware at this address. */
function runtimeWith(formUrl: string): NodeAPI {
  const nodes: Record<string, object> = {
    flash: { type: 'sonota-flash', wires: [['new']] },
    new: { type: 'sonota-new-firmware', formUrl },
  };
  return {
    nodes: { eachNode: () => undefined, getNode: (id: string) => nodes[id] ?? null },
    settings: {},
  } as unknown as NodeAPI;
}

const NOTHING = new MessageValues({});

/** Each stage's part, what it would read of a message being read of this one. */
function parts(form: object, message: Record<string, unknown> = {}): Record<keyof FlashForm, unknown> {
  const said = new MessageValues({ ...message });
  const read = readFlashForm(runtimeWith('http://192.168.1.20'), 'flash', Values.ofForm(form));
  const { provision, cloud, upgrade, diy, finalstage, newfirmware } = read;
  return {
    provision: { ...provision, method: provision.method(said) },
    cloud,
    upgrade: { ...upgrade, firmware: upgrade.firmware(said)?.final, newFirmwareUrl: upgrade.newFirmwareUrl() },
    diy: { ...diy, firmware: diy.firmware(said)?.final },
    finalstage: {
      ...finalstage,
      firmware: finalstage.firmware(said)?.final,
      newFirmwareUrl: finalstage.newFirmwareUrl(),
    },
    newfirmware,
  };
}

describe('nodes: the form of sonota-flash, as each stage reads it', () => {
  it('holds each of its fields for every stage that needs it', () => {
    const form = {
      ...{ timeout: '42', force: true, method: 'diy', unlock: 'local', clicks: true, image: '/data/final.bin' },
      ...{ deviceid: 'ITEAD-1000A1B2C3', ssid: ' home ', password: ' secret ' },
      ...{ apUrl: '10.10.7.1:81', finalStageUrl: '192.168.4.1:82', newFirmwareUrl: '192.168.4.1:83' },
    };
    const newFirmwareUrl = 'http://192.168.4.1:83';
    const firmware = '/data/final.bin';
    assert.deepEqual(parts(form), {
      provision: {
        ...{ timeoutSeconds: 42, url: 'http://10.10.7.1:81', only: '1000a1b2c3', method: 'diy' },
        ...{ wifi: { ssid: ' home ', password: ' secret ' }, takesAnyInDiyMode: true, forcesCloud: true },
      },
      cloud: { timeoutSeconds: 42, force: true },
      upgrade: { timeoutSeconds: 42, force: true, firmware, newFirmwareUrl },
      diy: { timeoutSeconds: 42, address: undefined, unlock: 'local', clicks: true, force: true, firmware },
      finalstage: { timeoutSeconds: 42, url: 'http://192.168.4.1:82', firmware, newFirmwareUrl },
      newfirmware: { timeoutSeconds: 42, url: newFirmwareUrl },
    });
  });

  it('leaves all else to the stages where it is empty, and the firmware to the message', () => {
    const empty = { ssid: '', password: '', method: '', unlock: '', apUrl: '', timeout: '', deviceid: '' };
    const timeoutSeconds = undefined;
    const firmware = 'of the message';
    const newFirmwareUrl = 'http://192.168.1.20';
    assert.deepEqual(parts(empty, { method: 'cloud', firmware: { final: firmware } }), {
      provision: {
        ...{ timeoutSeconds, url: undefined, only: undefined, method: 'cloud' },
        ...{ wifi: { ssid: undefined, password: undefined }, takesAnyInDiyMode: true, forcesCloud: false },
      },
      cloud: { timeoutSeconds, force: false },
      upgrade: { timeoutSeconds, force: false, firmware, newFirmwareUrl },
      diy: { timeoutSeconds, address: undefined, unlock: undefined, clicks: false, force: false, firmware },
      finalstage: { timeoutSeconds, url: undefined, firmware, newFirmwareUrl },
      newfirmware: { timeoutSeconds, url: undefined },
    });
    const { provision } = readFlashForm(runtimeWith(''), 'flash', Values.ofForm({}));
    assert.equal(provision.method(NOTHING), 'automatic');
  });
});
