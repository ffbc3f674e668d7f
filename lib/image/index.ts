/** ESP8266 images: bytes to facts and back. Pure: no files, no sockets. */

export { buildImage } from './build';
export { checkForTarget, requireSound } from './check';
export type { FinalContent, ImageContent, PartContent, PlainContent, SegmentContent, UserContent } from './content';
export { examine, type Examination } from './doctor';
export type {
  Checksum,
  EbootGeneration,
  FlashMode,
  ImageFacts,
  ImageKind,
  ImagePart,
  ImageName,
  ImageRole,
  Segment,
  SlotWords,
} from './facts';
export { isRefusal, type Finding, type FindingCode, type Severity } from './finding';
export { digestOf } from './digest';
export {
  APP_OFFSET,
  DIY_LIMIT,
  DIY_PROVEN,
  FINAL_LIMIT,
  ONE_HOP_LIMIT,
  USER_LIMIT,
  type Area,
  type FlashLayout,
} from './flash-map';
export { flashPicture, layoutAfter, type FlashPictureOptions } from './flash-picture';
export { SMALLEST_IMAGE } from './format';
export { REHEARSAL_MARK, identify, type Identity, type Project } from './identity';
export { MENDS, mend, type MendName, type Mended } from './mend';
export type { Coding, Descriptor } from './one-hop/descriptor';
export { imageNamed } from './name';
export { packOneHop } from './one-hop/pack';
export { readImage } from './read';
export { IMAGE_TARGETS, targetFacts, targetOfRole, type ImageTarget } from './targets';
export { takeApart } from './take-apart';
export { makeFinalImage, makeUserImage } from './writer';
export type { FinalImageOptions, ImageOptions, UserImageOptions } from './writer';
