# A node that the fleet has not: cim-render knows.
{
  host.services.cim.hub.node = "hub-9";
  says = [ "services.cim.hub.node: \"hub-9\"" ];
}
