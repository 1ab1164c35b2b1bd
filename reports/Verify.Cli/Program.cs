using Verify.Cli;

Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
return await Mqverify.RunAsync(args, Streams.OfConsole());
