# What a sink may take is counted in seconds.
{
  host.services.cim.hub.backup.sinkTimeout = "500ms";
  says = [
    "services.cim.hub.backup.sinkTimeout"
    "time in whole seconds, minutes or hours"
  ];
}
