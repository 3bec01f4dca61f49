/**
 * What carriers may send to burst hosts, by the parameter carrierCidrs: a rule for each network and port. (CommonJS: `serverless` loads it with require.)
 */

/** SIP, IAX2, and Asterisk's RTP range (host/asterisk/base/rtp.conf). All is UDP: SIP over TCP is only ever begun by the host. */
const PORTS = [
	{ name: "Sip", from: 5060, to: 5060, what: "SIP" },
	{ name: "Iax", from: 4569, to: 4569, what: "IAX2" },
	{ name: "Rtp", from: 10000, to: 19999, what: "RTP" },
];
const CIDR = /^(\d{1,3}\.){3}\d{1,3}\/(\d|[12]\d|3[0-2])$/;
/** A whole continent is no carrier: nobody opens the hosts to the world by a slip. */
const SHORTEST_PREFIX = 8;

const parse = (text) => {
	const cidrs = String(text)
		.split(",")
		.map((part) => part.trim())
		.filter(Boolean);
	for (const cidr of cidrs) {
		const octets = cidr.split("/")[0].split(".");
		if (!CIDR.test(cidr) || octets.some((octet) => Number(octet) > 255)) {
			throw new Error(`carrierCidrs: "${cidr}" is no network like 192.0.2.0/24`);
		}
		if (Number(cidr.split("/")[1]) < SHORTEST_PREFIX) {
			throw new Error(`carrierCidrs: "${cidr}" is far more than a carrier; at least /${SHORTEST_PREFIX} is needed`);
		}
	}
	return [...new Set(cidrs)];
};

module.exports = async ({ resolveVariable }) => {
	const resources = {};
	for (const cidr of parse(await resolveVariable("param:carrierCidrs"))) {
		for (const { name, from, to, what } of PORTS) {
			resources[`BurstIngress${name}${cidr.replace(/\D/g, "x")}`] = {
				Type: "AWS::EC2::SecurityGroupIngress",
				Condition: "Burst",
				Properties: {
					GroupId: { "Fn::GetAtt": ["BurstSecurityGroup", "GroupId"] },
					IpProtocol: "udp",
					FromPort: from,
					ToPort: to,
					CidrIp: cidr,
					Description: `${what} from a carrier`,
				},
			};
		}
	}
	return { Resources: resources };
};
