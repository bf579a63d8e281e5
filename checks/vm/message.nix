# A hub and a leaf boot from their host files, and a message published at the leaf arrives at the hub; the leaf is well.
{ host, prelude }:
{
  nodes.hub-1 = host "hub-1";
  nodes.cim-prod-002 = host "cim-prod-002";

  testScript = prelude + ''


    start_all()
    joined(hub_1, cim_prod_002)
    crosses(hub_1, cim_prod_002, "hello")
    for machine in [hub_1, cim_prod_002]:
        machine.wait_for_unit("cim-ready.target")
    cim_prod_002.wait_for_unit("cim-prod-002-health.service")
    # The hub has two more nodes, which are not here: it is not well.
    cim_prod_002.succeed("cim-gate")
  '';
}
