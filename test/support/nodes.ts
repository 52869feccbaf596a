import type { Passwords } from '../../server/access/passwords.ts'
import type { Stowage } from '../../server/compose.ts'
import { tidyOwn } from '../../server/registry/sweep.ts'

/** `TEST_NODES=3` puts so many nodes, or workers, behind a proxy wherever a test starts a server, each request to the next one. */
export const usualNodes = Number(process.env.TEST_NODES || 1)

/**
 * Nodes of one installation as one server. What a test asks for itself the first one does, wherever it was that requests
 * went; what each has in memory, and can only do for itself, all do.
 */
export function asOne(url: string, nodes: readonly [Stowage, ...Stowage[]]): Stowage {
  const [first, ...others] = nodes
  const all = async (of: readonly Stowage[], work: (node: Stowage) => Promise<unknown>): Promise<void> => {
    const outcomes = await Promise.allSettled(of.map(work))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }
  return {
    ...first,
    url,
    passwords: passwordsOf(nodes.map(({ passwords }) => passwords)),
    sweep: async () => {
      await all(others, (node) => tidyOwn(node.registry))
      return first.sweep()
    },
    flushUses: () => all(nodes, (node) => node.flushUses()),
    flushSignIns: (end) => all(nodes, (node) => node.flushSignIns(end)),
    flushDownloads: () => all(nodes, (node) => node.flushDownloads()),
    stop: (grace) => all(nodes, (node) => node.stop(grace)),
  }
}

function passwordsOf(each: readonly Passwords[]): Passwords {
  return {
    get computations() {
      return each.reduce((sum, { computations }) => sum + computations, 0)
    },
    isRemembered: (...of: Parameters<Passwords['isRemembered']>) =>
      each.some((passwords) => passwords.isRemembered(...of)),
  } as Passwords
}
