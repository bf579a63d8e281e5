# A killed server comes back by itself, a rebooted hub comes back as it was, and the leaf finds it each time.
{ host, prelude }:
{
  nodes.hub-1 = host "hub-1";
  nodes.cim-prod-002 = host "cim-prod-002";

  testScript = prelude + ''


    def killed(machine, unit):
        """Kills a server, and waits until systemd has started another."""
        pid = machine.get_unit_info(unit)["MainPID"]
        machine.succeed(f"kill -9 {pid}")
        machine.wait_until_fails(f"systemctl show --value --property MainPID {unit} | grep -x {pid}")
        machine.wait_until_succeeds(f"systemctl is-active {unit}")


    start_all()
    joined(hub_1, cim_prod_002)

    with subtest("the hub's server is killed"):
        killed(hub_1, "cim-hub-1.service")
        linked(hub_1)
        crosses(hub_1, cim_prod_002, "hub-killed")

    with subtest("the leaf's server is killed"):
        killed(cim_prod_002, "cim-prod-002.service")
        crosses(hub_1, cim_prod_002, "leaf-killed")

    with subtest("the hub reboots"):
        hub_1.shutdown()
        hub_1.start()
        hub_1.wait_for_unit("cim-hub-1.service")
        linked(hub_1)
        crosses(hub_1, cim_prod_002, "hub-rebooted")
  '';
}
