using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.State;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;

namespace Carrel.Server.Hosting;

/// <summary>From the command line to a running server. Exit codes: 0 ended, 1 failed, 2 settings, 3 data folder in use, 4 address in use, 5 host not ready, 6 state not usable.</summary>
internal static class ServerProgram
{
    private const string MoveTo = "--move-database=";
    private const int BadSettings = 2;
    private const int FolderInUse = 3;
    private const int AddressInUse = 4;
    private const int HostNotReady = 5;
    private const int StateNotUsable = 6;

    public static async Task<int> RunAsync(string[] args)
    {
        var check = args.Contains("--check");
        var moveTo = args.FirstOrDefault(argument => argument.StartsWith(MoveTo, StringComparison.Ordinal));
        var settings = SettingReader.Load(
            [.. args.Where(argument => argument != "--check" && argument != moveTo)],
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
        if (moveTo is not null)
        {
            return await MoveAsync(settings.Value, moveTo[MoveTo.Length..]);
        }

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
            if (await app.Services.GetRequiredService<ServerStart>().RunAsync(app.Lifetime.ApplicationStopping) is { } unusable)
            {
                await app.StopAsync();
                return Refuse(unusable, StateNotUsable);
            }
        }
        catch (IOException left)
        {
            await app.StopAsync();
            return Refuse(new Failure(ErrorCodes.HostNotReady, $"What the last server left cannot be taken over: {left.Message}", "Run `carrel doctor` on the host."), HostNotReady);
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
            Tell = sentence => Console.Error.WriteLine($"carrel-server: {sentence}"),
        },
        TimeProvider.System);

    private static async Task<int> MoveAsync(Settings settings, string to)
    {
        var address = DatabaseAddress.Parse(to);
        var moved = !address.Succeeded ? address.Failure
            : (settings.Database, address.Value) is (DatabaseAddress.Sqlite from, DatabaseAddress.Postgres postgres)
                ? await DatabaseMove.RunAsync(from.File, postgres, TimeProvider.System, NullLogger.Instance, Console.WriteLine)
            : new Failure(ErrorCodes.InvalidField, "Only an SQLite database can be moved, and only to PostgreSQL.", "Unset CARREL_DATABASE and name a postgresql:// address.");
        if (!moved.Succeeded)
        {
            return Refuse(moved.Failure, StateNotUsable);
        }

        Console.WriteLine($"Moved {moved.Value} rows to {address.Value}.");
        return 0;
    }

    private static int Refuse(Failure failure, int code)
    {
        Console.Error.WriteLine($"carrel-server: {failure.Message}{(failure.Remedy is null ? "" : " " + failure.Remedy)}");
        return code;
    }
}
