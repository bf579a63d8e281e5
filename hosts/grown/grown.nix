# What the fleet of hosts/template grows by: two hub nodes, and a leaf that hears what plant-a says.
{
  hubs.hub.nodes = {
    hub-2.address = "hub-2.example.com";
    hub-3.address = "hub-3.example.com";
  };

  leaves.plant-b = {
    account = "CIM";
    imports = [ "metrics.>" ];
  };
}
