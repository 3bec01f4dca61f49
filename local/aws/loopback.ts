import { Server } from "node:net";

/**
 * The SQS emulator listens on every address of the machine and has no setting for it. In its process, which does nothing
 * else, "every address" is made 127.0.0.1.
 */
export const listenOnLoopbackOnly = (): void => {
	const original = Server.prototype.listen;
	Server.prototype.listen = function (this: Server, ...args: unknown[]) {
		const [first] = args;
		if (first !== null && typeof first === "object" && "port" in first) args[0] = { ...first, host: "127.0.0.1" };
		return original.apply(this, args as Parameters<typeof original>);
	} as typeof original;
};
