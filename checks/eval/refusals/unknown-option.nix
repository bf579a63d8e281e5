# A typing mistake in an option's name.
{
  host.services.cim.leaves.a.prot = 4222;
  says = [ "services.cim.leaves.a.prot" ];
}
