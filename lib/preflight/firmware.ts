import { asFlashError, FlashError, type ErrorCode } from '../errors';
import { findingsInDiyMode } from '../firmware/diy-findings';
import { loadImages, type FirmwareSources } from '../firmware/firmware';
import type { SourceOptions } from '../firmware/image-source';
import { loadFirmware } from '../flash/routes/load-firmware';
import type { FlashHost } from '../flash/host/host';
import { DIY } from '../flash/routes';
import { chosenRoute } from '../flash/routes/choice';
import { DIY_LIMIT, DIY_PROVEN, imageNamed, isRefusal } from '../image';
import { refuseRehearsalImages } from '../firmware/rehearsal';
import { isWording } from '../wordings/wording';
import { failed, noted, passed, type SaidCheck } from './check';
import { phrase, sentence } from './phrases';

/** The part of a host that the checks of a firmware read. */
type FirmwareHost = Pick<FlashHost, 'library' | 'address'>;

/** For one fetch over the network, in ms. */
const FETCH_LIMIT_MS = 60_000;
/** Codes that keep an image from coming and show nothing about the image. */
const UNREACHED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['fetch-failed', 'fetch-redirected', 'fetch-stalled']);

/**
 * All images are there and fit, examined as ota-serve examines them.
 *
 * @throws FlashError `cancelled`
 */
export async function checkFirmware(
  host: FirmwareHost,
  sources: FirmwareSources,
  signal: AbortSignal,
): Promise<SaidCheck> {
  return checkForCloud(host, sources, signal, inWordsOfError);
}

/**
 * For a device that shows only later which method it takes: where nothing but the pair cannot be fetched, it may still be
 * flashed in DIY mode.
 *
 * @throws FlashError `cancelled`
 */
export async function checkFirmwareForAny(
  host: FirmwareHost,
  sources: FirmwareSources,
  signal: AbortSignal,
): Promise<SaidCheck> {
  return checkForCloud(host, sources, signal, async (error) => {
    const isForDiy = isPairAway(error) && (await checkFirmwareForDiy(host, sources, signal)).ok !== false;
    if (!isForDiy) return inWordsOfError(error);
    const what = sentence(error.code, 'what', error.values);
    return noted('firmware', error.code, phrase('firmware-pair-away', { what }), 'pair-not-for-diy');
  });
}

async function checkForCloud(
  host: FirmwareHost,
  sources: FirmwareSources,
  signal: AbortSignal,
  judge: (error: FlashError) => SaidCheck | Promise<SaidCheck>,
): Promise<SaidCheck> {
  return checkLoaded(signal, judge, async () => {
    const { user1, user2, final } = await loadFirmware(sources, optionsOf(host, signal));
    const images = [user1, user2, final];
    if (areKeptBack(images, host)) return onlyForRehearsal();
    const inDiyMode = (await findingsInDiyMode(final.bytes, [])).find(isRefusal);
    if (inDiyMode) {
      const what = sentence(inDiyMode.code, 'what', inDiyMode.values);
      return noted('firmware', inDiyMode.code, phrase('firmware-not-for-diy', { what }), 'choose-smaller');
    }
    const [packed, second, whole] = images.map(({ bytes }) => bytes.length) as [number, number, number];
    const text = chosenRoute(sources).isPacked
      ? phrase('firmware-one-hop', { final: whole, packed })
      : phrase('firmware-pair', { user1: packed, user2: second, final: whole });
    return passed('firmware', 'firmware-missing', text);
  });
}

/**
 * The same for a flash in DIY mode, which takes the final image alone, and less of it.
 *
 * @throws FlashError `cancelled`
 */
export async function checkFirmwareForDiy(
  host: FirmwareHost,
  sources: FirmwareSources,
  signal: AbortSignal,
): Promise<SaidCheck> {
  return checkLoaded(signal, inWordsOfError, async () => {
    const { final } = await loadImages(DIY, sources, optionsOf(host, signal));
    if (!final) throw new FlashError('firmware-missing', { what: imageNamed('final') });
    if (areKeptBack([final], host)) return onlyForRehearsal();
    const size = final.bytes.length;
    if (size > DIY_PROVEN) {
      const text = phrase('firmware-near-diy-limit', { size, proven: DIY_PROVEN, limit: DIY_LIMIT });
      return noted('firmware', 'image-too-large', text, 'choose-smaller');
    }
    return passed('firmware', 'firmware-missing', phrase('firmware-diy', { final: size }));
  });
}

/** The outcome of `look`, or the finding for the error with which it ends; an abort is no finding. */
async function checkLoaded(
  signal: AbortSignal,
  judge: (error: FlashError) => SaidCheck | Promise<SaidCheck>,
  look: () => Promise<SaidCheck>,
): Promise<SaidCheck> {
  try {
    return await look();
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return await judge(asFlashError(thrown));
  }
}

function inWordsOfError(error: FlashError): SaidCheck {
  return failed('firmware', error);
}

function optionsOf({ library }: FirmwareHost, signal: AbortSignal): SourceOptions {
  return { signal, limitMs: FETCH_LIMIT_MS, library };
}

/** For a check of the machine alone: ready it is not called without a firmware. */
export function firmwareNotChosen(): SaidCheck {
  return noted('firmware', 'firmware-missing', phrase('firmware-not-chosen'), 'choose-firmware');
}

/** Whether an image did not come, and it is not the final one. */
function isPairAway({ code, values: { what } }: FlashError): boolean {
  return UNREACHED.has(code) && isWording(what) && what.code !== imageNamed('final').code;
}

function onlyForRehearsal(): SaidCheck {
  return noted('firmware', 'rehearsal-only', phrase('firmware-rehearsal'), 'choose-real-firmware');
}

/** Whether no device that dials this host would be given these images. */
function areKeptBack(images: readonly { bytes: Buffer }[], { address }: FirmwareHost): boolean {
  if (address === undefined) return false;
  try {
    refuseRehearsalImages(images, address);
    return false;
  } catch {
    return true;
  }
}
