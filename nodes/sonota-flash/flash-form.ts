import type { NodeAPI } from 'node-red';
import { PROVISION_METHODS } from '../../lib/flash/stage/provision-method';
import { chooseOrRecommend } from '../shared/firmware-choice';
import { newFirmwareUrlBehind } from '../shared/new-firmware-behind';
import { ofPart, type StageStep } from '../shared/stage-step';
import { cloudStep, type CloudForm } from '../shared/stages/cloud';
import { diyStep, readUnlock, type DiyForm } from '../shared/stages/diy';
import { finalStageStep, type FinalStageForm } from '../shared/stages/finalstage';
import { newFirmwareStep, type NewFirmwareForm } from '../shared/stages/new-firmware';
import { provisionStep, type ProvisionForm } from '../shared/stages/provision';
import { upgradeStep, type UpgradeForm } from '../shared/stages/upgrade';
import type { Values } from '../shared/values';

/** The one form of the whole flash, as each stage reads it. */
export interface FlashForm {
  readonly provision: ProvisionForm;
  readonly cloud: CloudForm;
  readonly upgrade: UpgradeForm;
  readonly diy: DiyForm;
  readonly finalstage: FinalStageForm;
  readonly newfirmware: NewFirmwareForm;
}

/** All stages; which of them a flash passes through is decided by its job (lib/flash/job/next-stage.ts). */
export const FLASH_STEPS: readonly [StageStep<FlashForm>, ...StageStep<FlashForm>[]] = [
  ofPart(provisionStep, ({ provision }) => provision),
  ofPart(cloudStep, ({ cloud }) => cloud),
  ofPart(upgradeStep, ({ upgrade }) => upgrade),
  ofPart(diyStep, ({ diy }) => diy),
  ofPart(finalStageStep, ({ finalstage }) => finalstage),
  ofPart(newFirmwareStep, ({ newfirmware }) => newfirmware),
];

/**
 * @param nodeId of the node, for what is wired behind it
 * @throws FlashError `value-invalid`, `variable-unset`, `url-invalid`
 */
export function readFlashForm(RED: NodeAPI, nodeId: string, form: Values): FlashForm {
  const timeoutSeconds = form.seconds('timeout');
  const force = form.flag('force');
  const method = form.choice('method', PROVISION_METHODS) ?? 'automatic';
  const unlock = readUnlock(form);
  const clicks = form.flag('clicks');
  const choice = {
    firmware: form.text('firmware'),
    image: form.text('image'),
    intermediate: form.text('intermediate'),
  };
  const firmware: UpgradeForm['firmware'] = (said) => chooseOrRecommend(RED, choice, said);
  const newUrl = form.httpUrl('newFirmwareUrl');
  const newFirmwareUrl = (): string | undefined => newUrl ?? newFirmwareUrlBehind(RED, nodeId);
  const wifi = {
    ssid: form.exactText('ssid') || undefined,
    password: form.exactText('password') || undefined,
  };
  return {
    provision: {
      ...{ timeoutSeconds, url: form.httpUrl('apUrl'), only: form.deviceId(), wifi },
      ...{ takesAnyInDiyMode: true, forcesCloud: force },
      method: (said) => said.choice('method', PROVISION_METHODS) ?? method,
    },
    cloud: { timeoutSeconds, force },
    upgrade: { timeoutSeconds, force, firmware, newFirmwareUrl },
    // Where it is, a message says; else it is found by what it announces.
    diy: { timeoutSeconds, address: undefined, unlock, clicks, force, firmware },
    finalstage: { timeoutSeconds, url: form.httpUrl('finalStageUrl'), firmware, newFirmwareUrl },
    newfirmware: { timeoutSeconds, url: newUrl },
  };
}
