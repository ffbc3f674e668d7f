import type { Finding } from '../image';
import { ExaminedImages } from './examined-images';

/**
 * What speaks against a final image in DIY mode alone: that takes less (docs/dev/diy-mode.md#1.10), and which method a
 * device takes is not known before it is there.
 *
 * @param elsewhere the findings for the place that was chosen
 */
export async function findingsInDiyMode(bytes: Buffer, elsewhere: readonly Finding[]): Promise<readonly Finding[]> {
  const { findings } = await ExaminedImages.shared.examination(bytes, 'diy');
  const isReported = ({ code, severity }: Finding): boolean =>
    elsewhere.some((said) => said.code === code && said.severity === severity);
  return findings.filter((finding) => !isReported(finding));
}
