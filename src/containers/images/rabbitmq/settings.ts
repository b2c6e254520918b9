export const RABBIT_VERSION = '4.1.4';

export const PORTS = { amqp: 5672, distribution: 25_672, epmd: 4369, management: 15_672, prometheus: 15_692 } as const;

/** Tags with the plug-in, and images that always have it. */
export const hasManagement = (image: string): boolean => image.includes('management') || image.includes('bitnami');

/** Passwords by user: one, as the environment has it. */
export function usersOf(env: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const user = env['RABBITMQ_DEFAULT_USER'] ?? env['RABBITMQ_USERNAME'] ?? 'guest';
  return new Map([[user, env['RABBITMQ_DEFAULT_PASS'] ?? env['RABBITMQ_PASSWORD'] ?? 'guest']]);
}
