using Carrel.Contracts;
using Carrel.Machines;
using Microsoft.AspNetCore.Connections;

namespace Carrel.Server.Hosting;

/// <summary>From the command line to a running server. Exit codes: 0 ended, 1 failed, 2 settings, 3 data folder in use, 4 address in use, 5 host not ready.</summary>
internal static class ServerProgram
{
    private const int BadSettings = 2;
    private const int FolderInUse = 3;
    private const int AddressInUse = 4;
    private const int HostNotReady = 5;

    public static async Task<int> RunAsync(string[] args)
    {
        var check = args.Contains("--check");
        var settings = SettingReader.Load(
            [.. args.Where(argument => argument != "--check")],
            Environment.GetEnvironmentVariable,
            path => File.Exists(path) ? File.ReadAllText(path) : null);
        if (!settings.Succeeded)
        {
            return Refuse(settings.Failure, BadSettings);
        }

        if (check)
        {
            Console.WriteLine(settings.Value);
            return 0;
        }

        var folder = DataFolder.Open(settings.Value.Data);
        if (!folder.Succeeded)
        {
            return Refuse(folder.Failure, FolderInUse);
        }

        using var held = folder.Value;
        var host = await OpenHostAsync(settings.Value);
        if (!host.Succeeded)
        {
            return Refuse(host.Failure, HostNotReady);
        }

        await using var machines = host.Value;
        await using var app = CarrelServer.Build(settings.Value, held, services => services.AddSingleton(machines));
        try
        {
            await app.StartAsync();
        }
        catch (IOException taken) when (taken.InnerException is AddressInUseException)
        {
            return Refuse(
                new Failure(ErrorCodes.HostNotReady, $"The address {settings.Value.Listen} is in use by another program.", "Stop it, or set CARREL_LISTEN."),
                AddressInUse);
        }

        try
        {
            await app.Services.GetRequiredService<ServerStart>().RunAsync(app.Lifetime.ApplicationStopping);
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Told to end before it was ready; what it had not taken over yet waits for the next server.
        }

        await app.WaitForShutdownAsync();
        return 0;
    }

    /// <summary>auto is container, the one isolation there is.</summary>
    private static Task<Outcome<IMachineHost>> OpenHostAsync(Settings settings) => MachineHosts.OpenContainersAsync(
        new MachineOptions
        {
            DataFolder = settings.Data,
            ImageFolder = settings.Images,
            DesktopDigest = settings.DesktopDigest,
            DeskdFolder = settings.Deskd,
            DnsServer = settings.Dns,
            AllowedPrivateRanges = settings.AllowedPrivateRanges,
            SpareSlots = settings.SpareSlots,
        },
        TimeProvider.System);

    private static int Refuse(Failure failure, int code)
    {
        Console.Error.WriteLine($"carrel-server: {failure.Message}{(failure.Remedy is null ? "" : " " + failure.Remedy)}");
        return code;
    }
}
