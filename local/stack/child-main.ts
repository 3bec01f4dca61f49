/** The child's side of local/stack/child.ts: one service in a process of its own. */

export interface Service {
	/** What the parent is told when the service is up. */
	info: unknown;
	/** What the parent may call. */
	methods?: Record<string, (...args: never[]) => unknown>;
	stop(): Promise<void>;
}

export type ParentMessage =
	| { type: "start"; options: unknown }
	| { type: "call"; id: number; method: string; args: unknown[] }
	| { type: "stop" };
export type ChildMessage =
	| { type: "ready"; info: unknown }
	| { type: "failed"; message: string }
	| { type: "result"; id: number; value?: unknown; error?: string };

const messageOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Runs a service for the parent; ends when the parent says so, or is gone. */
export const serveParent = <Options>(start: (options: Options) => Promise<Service>): void => {
	let service: Promise<Service> | undefined;
	let ending = false;
	const send = (message: ChildMessage): void => {
		if (process.connected) process.send?.(message);
	};
	const end = async (): Promise<void> => {
		if (ending) return;
		ending = true;
		try {
			await (await service)?.stop();
			process.exit(0);
		} catch (error) {
			process.stderr.write(`${messageOf(error)}\n`);
			process.exit(1);
		}
	};
	// Ctrl-C reaches the whole process group; the parent decides in which order things stop.
	process.on("SIGINT", () => {});
	process.on("SIGTERM", end);
	process.on("disconnect", end);
	process.on("message", async (message: ParentMessage) => {
		switch (message.type) {
			case "start":
				service = start(message.options as Options);
				service.then(
					({ info }) => send({ type: "ready", info }),
					(error) => {
						send({ type: "failed", message: messageOf(error) });
						process.exitCode = 1;
						process.disconnect?.();
					},
				);
				return;
			case "call": {
				const { id, method, args } = message;
				try {
					const run = (await service)?.methods?.[method] as ((...args: unknown[]) => unknown) | undefined;
					if (!run) throw new Error(`This service has no method ${method}.`);
					send({ type: "result", id, value: await run(...args) });
				} catch (error) {
					send({ type: "result", id, error: messageOf(error) });
				}
				return;
			}
			case "stop":
				await end();
		}
	});
};
