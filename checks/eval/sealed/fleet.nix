# One hub of one node and a leaf, with an identity.
{
  identity = ./identity;
  hubs.hub.nodes.hub-1.address = "hub-1.example.com";
  accounts.CIM = { };
  leaves.plant-a = {
    account = "CIM";
    imports = [ "commands.>" ];
    exports = [ "metrics.>" ];
  };
}
