import type { ControlPlaneOptions, Usage } from "../lambda/control-plane.ts";
import type { CrashPlan } from "../lambda/execute.ts";
import { type Child, startChild } from "./child.ts";
import { StackError } from "./options.ts";

const MODULE = new URL("../lambda/process.ts", import.meta.url);

interface Info {
	url: string;
	port: number;
}

/** The control plane's process. Started again it has the same address. */
export class ControlPlaneProcess {
	readonly #options: ControlPlaneOptions;
	readonly #hooks: { onOutput: (text: string) => void; onFailure: (message: string) => void };
	#child: Child<Info> | undefined;
	#url = "";

	constructor(
		options: ControlPlaneOptions,
		hooks: { onOutput: (text: string) => void; onFailure: (message: string) => void },
	) {
		this.#options = { ...options };
		this.#hooks = hooks;
	}

	get url(): string {
		return this.#url;
	}

	get pid(): number | undefined {
		return this.#child?.pid;
	}

	async start(): Promise<void> {
		if (this.#child) throw new StackError("The control plane is running already.");
		const { PATH, HOME, TMPDIR, TZ } = process.env;
		const child = await startChild<Info>({
			name: "The control plane",
			module: MODULE,
			options: this.#options,
			env: { PATH, HOME, TMPDIR, TZ },
			onOutput: this.#hooks.onOutput,
		});
		this.#child = child;
		this.#url = child.info.url;
		this.#options.port = child.info.port;
		child.exited.then(({ expected, how }) => {
			if (this.#child === child) this.#child = undefined;
			if (!expected) this.#hooks.onFailure(`The control plane ended (${how}).`);
		});
	}

	async stop(): Promise<void> {
		await this.#child?.stop();
	}

	/** kill -9 */
	async kill(): Promise<void> {
		await this.#child?.kill();
	}

	async call<T>(method: string, ...args: unknown[]): Promise<T> {
		if (!this.#child) throw new StackError("The control plane is not running.");
		return this.#child.call<T>(method, ...args);
	}

	/** Runs every schedule now. */
	tick(): Promise<void> {
		return this.call("tick");
	}

	invoke<T>(functionName: string, event: unknown): Promise<T> {
		return this.call("invoke", functionName, event);
	}

	usage(): Promise<Usage> {
		return this.call("usage");
	}

	/** Functions die before a write, as planned; undefined: no more. Counted as `deaths` among the faults. */
	setCrashPlan(plan: CrashPlan | undefined): Promise<void> {
		return this.call("setCrashPlan", plan ?? null);
	}
}
