Console.WriteLine($"mqverify {typeof(Program).Assembly.GetName().Version?.ToString(3)}");
return 0;
