using Carrel.Server.Hosting;

return await ServerProgram.RunAsync(args);
