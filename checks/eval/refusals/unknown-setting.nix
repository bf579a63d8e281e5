# A field that neither our rules nor any option know: only the real nats-server, in cim-check, refuses it.
{
  host.services.cim.leaves.a.settings.max_traced_mesage_len = 1024;
  says = [
    "services.cim.leaves.a.settings"
    "max_traced_mesage_len"
  ];
}
