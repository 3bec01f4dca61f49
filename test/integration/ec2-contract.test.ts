import { ec2Contract } from "../support/contracts/ec2.ts";
import { openEmulated } from "../support/contracts/ec2-emulated.ts";
import { openMemory } from "../support/contracts/ec2-memory.ts";

ec2Contract("the adapter and the emulated EC2", () => openEmulated());
// Every list is several answers.
ec2Contract("the adapter and an EC2 that gives five instances at a time", () => openEmulated({ pageSize: 5 }));
ec2Contract("in memory", openMemory, { lacks: ["quota"] });
