import type { Carrier, HostOptions, VoicePlane } from "../types.ts";
import { SimCarrierCore } from "./carrier-core.ts";
import { machineClock, seededRandom } from "./clock.ts";
import { prepareSimulatedHost, type SimulatedHost, startSimulatedHost } from "./host.ts";
import { SimNetwork } from "./network.ts";
import { answerOptions } from "./options-port.ts";

/** A simulated carrier: what the local stack sees of any, and what tests can do to it. */
export interface SimulatedCarrier extends Carrier {
	core: SimCarrierCore;
	/** The trunk is down (true) or up again: no packet passes, nothing answers OPTIONS. */
	setDown(down: boolean): void;
}

export interface SimulatedPlane extends VoicePlane {
	kind: "simulated";
	startHost(options: HostOptions): Promise<SimulatedHost>;
	prepareHost(options: HostOptions): Promise<SimulatedHost>;
	startCarrier(options: { address: string; port: number; dir: string }): Promise<SimulatedCarrier>;
}

/**
 * The simulated voice plane. Its hosts and carriers live in this process and see one another only; ARI is served on the hosts' own addresses.
 * @param seed of all delays and ids
 */
export const simulatedPlane = ({ seed = 1 }: { seed?: number } = {}): SimulatedPlane => {
	const clock = machineClock();
	const network = new SimNetwork({ clock, random: seededRandom(seed) });
	return {
		kind: "simulated",
		note: "simulated Asterisk and carrier",
		startHost: (options) => startSimulatedHost({ ...options, network, seed }),
		prepareHost: (options) => prepareSimulatedHost({ ...options, network, seed }),
		startCarrier: async ({ address, port }) => {
			const core = new SimCarrierCore({ network, address, port });
			const close = await answerOptions(address, port, () => core.reachable());
			return {
				address,
				port,
				core,
				calls: async () => core.calls(),
				setDown: (down) => core.setDown(down),
				stop: async () => {
					close();
					core.close();
				},
			};
		},
	};
};
