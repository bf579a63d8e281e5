# Without a secret a unit does not become active and names the file that it wants; given it, it starts by itself.
{ host, prelude }:
{
  nodes.hub-1 = host "hub-1";
  nodes.cim-prod-001 = host "cim-prod-001";

  testScript = prelude + ''


    def refuses(machine, unit, file):
        """Waits until the unit has said what it wants; it is not active, and goes on trying."""
        machine.wait_until_succeeds(f"journalctl --unit {unit} | grep -F {file}")
        machine.fail(f"systemctl is-active {unit}")


    start_all()

    with subtest("a hub without its certificate's key"):
        files = certify(hub_1, "hub-1")
        key = files.pop("hub-1.key")
        give(hub_1, files)
        refuses(hub_1, "cim-hub-1.service", "/run/secrets/hub-1.key")
        give(hub_1, {"hub-1.key": key})
        hub_1.wait_until_succeeds("systemctl is-active cim-hub-1.service")

    with subtest("a leaf without the seed of its nkey"):
        give(cim_prod_001, certify(hub_1, "cim-prod-001"))
        refuses(cim_prod_001, "cim-prod-001.service", "/run/secrets/cim-prod-001.nk")
        # Of a new key: the hub does not know it, and the unit does not need the hub.
        give(cim_prod_001, {"cim-prod-001.nk": cim_prod_001.succeed("nk -gen user")})
        cim_prod_001.wait_until_succeeds("systemctl is-active cim-prod-001.service")
  '';
}
