# A question to a server that does not answer takes 3 s.
{
  host.services.cim.hub.health.watchdog = "4s";
  says = [
    "services.cim.hub.health.watchdog"
    "5 s at least"
  ];
}
