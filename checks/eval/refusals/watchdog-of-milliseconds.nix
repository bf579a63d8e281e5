# systemd counts in seconds.
{
  host.services.cim.hub.health.watchdog = "500ms";
  says = [
    "services.cim.hub.health.watchdog"
    "time in whole seconds, minutes or hours"
  ];
}
