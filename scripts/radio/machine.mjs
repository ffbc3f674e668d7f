/** The virtual machine: QEMU without any hardware of this machine's, and without a network to it. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const MEMORY_MIB = 2048;
/**
 * Its clock goes by what it has worked, 2 ns an instruction, and by real time where it waits. So a busy machine makes
 * the whole slower, but no time limit in it any shorter. That takes one whole processor, and no second one.
 */
const CLOCK = ['-accel', 'tcg,thread=single', '-icount', 'shift=1,sleep=on', '-rtc', 'clock=vm', '-smp', '1'];
const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

/**
 * Boots, runs `/out/start.sh` in the machine, and ends with it. What it writes to its console goes to this process'.
 *
 * @param {{tools: string, kernel: string, initramfs: string, out: string, limitMs: number}} parts `out` is the one
 *   folder that both can write to
 * @returns {Promise<number | null>} QEMU's exit code; null where it was killed at its limit
 */
export function runMachine({ tools, kernel, initramfs, out, limitMs }) {
  const share = (path, tag, access) => [
    '-virtfs',
    `local,path=${path},mount_tag=${tag},security_model=none,multidevs=remap${access}`,
  ];
  const firmware = ['qemu', 'seabios'].flatMap((name) => [join('/usr/share', name), join(tools, 'usr/share', name)]);
  const args = [
    ...firmware.flatMap((folder) => ['-L', folder]),
    ...CLOCK,
    ...['-cpu', 'max', '-m', `${MEMORY_MIB}`],
    ...['-nodefaults', '-nographic', '-no-reboot', '-serial', 'stdio', '-monitor', 'none'],
    ...['-device', 'virtio-rng-pci'],
    ...['-kernel', kernel, '-initrd', initramfs, '-append', 'console=ttyS0 quiet panic=1'],
    ...share('/', 'machine', ',readonly=on'),
    ...share(tools, 'tools', ',readonly=on'),
    ...share(out, 'out', ''),
  ];
  const libraries = join(tools, LIBRARIES);
  const modules = [join(libraries, 'qemu'), join(LIBRARIES, 'qemu')].find(existsSync);
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, QEMU_MODULE_DIR: modules };
  return new Promise((resolve, reject) => {
    const options = { env, stdio: ['ignore', 'inherit', 'inherit'], timeout: limitMs, killSignal: 'SIGKILL' };
    const machine = spawn(join(tools, 'bin/qemu-system-x86_64'), args, options);
    machine.once('error', reject);
    machine.once('close', resolve);
  });
}
