# A hub and a leaf boot from their host files, and a message published at the leaf arrives at the hub.
{ host, prelude }:
{
  nodes.hub-1 = host "hub-1";
  nodes.cim-prod-002 = host "cim-prod-002";

  testScript = prelude + ''


    start_all()
    joined(hub_1, cim_prod_002)
    crosses(hub_1, cim_prod_002, "hello")
  '';
}
