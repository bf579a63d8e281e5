# A module without arguments, in short form.
{
  list = [ 2 ];
}
