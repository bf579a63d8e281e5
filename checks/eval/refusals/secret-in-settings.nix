# Secrets among what passes straight through: by what they look like, and by the key that they stand at.
{
  host.services.cim.hub.settings.mqtt = {
    token = "hunter2";
    more = [ { note = "SUTHISISNOREALSEEDBUTITLOOKSLIKEONETOANYBODYWHOREADSITFAST"; } ];
  };
  says = [
    "services.cim.hub.settings.mqtt.token: holds a secret (it is not shown)"
    "services.cim.hub.settings.mqtt.more.note: holds a secret (it is not shown)"
  ];
  hides = [
    "hunter2"
    "SUTHISIS"
  ];
}
