Console.WriteLine("bench-micro: no benchmark named");
return 254;
