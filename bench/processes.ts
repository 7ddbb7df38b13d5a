import { readFileSync, writeFileSync } from 'node:fs';

/** Linux counts processor time for programs in hundredths of a second, whatever its own tick (`man 5 proc`). */
const TICK_US = 10_000;
const UTIME = 11;

function read(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'latin1');
  } catch {
    return null;
  }
}

/** Processor time of a process so far, in microseconds; null where there is no /proc. */
export function cpuOf(pid: number): number | null {
  const stat = read(pid, 'stat');
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may hold anything
  return (Number(fields[UTIME]) + Number(fields[UTIME + 1])) * TICK_US;
}

function statusKiB(pid: number, name: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(read(pid, 'status') ?? '');
  return found ? Number(found[1]) : null;
}

/** Memory of a process that is in RAM, in KiB; null where there is no /proc. */
export const residentKiB = (pid: number): number | null => statusKiB(pid, 'VmRSS');

/** The most that it ever had in RAM, or has had since `resetPeak`, in KiB; null where there is no /proc. */
export const peakKiB = (pid: number): number | null => statusKiB(pid, 'VmHWM');

/** Forgets the peak of a process; where the system does not let it, the peak stays that of its whole life. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${String(pid)}/clear_refs`, '5');
  } catch {
    return;
  }
}
