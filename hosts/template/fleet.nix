# What both ends agree on. Keys, JWTs and certificates for it: `nix run .#identity`.
{
  identity = ./identity;
  # Operator mode: accounts, leaves and users are known by JWTs.
  operator = { };

  hubs.hub.nodes.hub.address = "hub.example.com";

  accounts.CIM.users.app = { };

  leaves.plant-a = {
    account = "CIM";
    imports = [ "commands.>" ];
    # What is published while the link is cut is gone. This would wait for the link, stored (docs/flows.md of cim):
    # exports = [ { subject = "metrics.>"; durable = { longestPartition = "72h"; rate = "4KiB"; }; } ];
    exports = [ "metrics.>" ];
  };
}
