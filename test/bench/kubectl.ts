import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type RunningUp } from '../support/up.js';
import { createReplayServer } from './replay.js';
import { ms, quantile, type Row } from './table.js';

const ROUNDS = 15;

/**
 * `kubectl get pods` as a person feels it, against Kubette and against a server that gives the same answers from
 * memory, in turns. Cold: without kubectl's discovery cache. The answers' own time is what is left of the difference
 * when everything is warm: no process is faster than its requests.
 */
export async function kubectlGetPods(up: RunningUp): Promise<Row[]> {
  const kubeconfig = join(up.dataDir, 'kubeconfig');
  const replay = await createReplayServer(up.dataDir, up.port);
  const replayed = join(up.dataDir, 'replayed.kubeconfig');
  writeFileSync(replayed, readFileSync(kubeconfig, 'utf8').replace(`:${up.port}`, `:${replay.port}`));
  const home = mkdtempSync(join(tmpdir(), 'kubette-bench-home-'));
  const get = async (config: string): Promise<number> => {
    const begun = performance.now();
    const { code, stderr } = await run('kubectl', ['get', 'pods'], { env: { KUBECONFIG: config, HOME: home } });
    if (code !== 0) throw new Error(`kubectl get pods: ${stderr}`);
    return performance.now() - begun;
  };
  const measure = async (cold: boolean): Promise<{ ours: number; memory: number }> => {
    const [ours, memory]: [number[], number[]] = [[], []];
    for (let i = -1; i < ROUNDS; i++) {
      for (const [config, times] of [
        [kubeconfig, ours],
        [replayed, memory],
      ] as const) {
        if (cold) rmSync(join(home, '.kube'), { recursive: true, force: true });
        const took = await get(config);
        // The first round fills caches: kubectl's, and the memory of the server that replays.
        if (i >= 0) times.push(took);
      }
    }
    return { ours: quantile(ours, 0.5), memory: quantile(memory, 0.5) };
  };
  const row = (what: string, { ours, memory }: { ours: number; memory: number }): Row[] => [
    { what: `kubectl get pods, whole process, ${what}`, value: ms(ours) },
    { what: '  the same answers from memory', value: ms(memory) },
    { what: '  ratio', value: (ours / memory).toFixed(2), goal: 'goal: under 1.20' },
    { what: "  the server's share", value: `${ms(Math.max(0, ours - memory))} (${percent((ours - memory) / ours)})` },
  ];
  try {
    return [...row('cold discovery cache', await measure(true)), ...row('warm', await measure(false))];
  } finally {
    replay.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const percent = (share: number): string => `${Math.max(0, share * 100).toFixed(0)} %`;
