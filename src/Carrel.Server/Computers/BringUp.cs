using System.Net.Http.Json;
using System.Text.Json;
using Carrel.Contracts;
using Carrel.Contracts.Deskd;
using Carrel.Machines;
using Carrel.Server.Actions;
using Carrel.Server.Hosting;

namespace Carrel.Server.Computers;

/// <summary>
/// From nothing to a desktop somebody can use: launch, tell the machine who it is, wait until it says that its desktop is
/// painted, end the boot burst. On failure the machine is gone again.
/// </summary>
internal sealed partial class BringUp(IMachineHost host, Settings settings, TimeProvider clock, ILogger<BringUp> log)
{
    private const long GiB = 1L << 30;
    private static readonly JsonSerializerOptions SnakeCase = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <param name="undo">Takes the machine away again where it cannot be made usable: destroy for a new computer, stop for one with a disk to keep.</param>
    public async Task<Outcome<MachineSession>> RunAsync(ComputerRecord record, Func<IMachine, Task<Outcome<bool>>> undo)
    {
        var begun = clock.GetTimestamp();

        // 1. Launch. No cancellation: once begun, a transition is finished or undone, whether or not the client waits.
        var launched = await host.LaunchAsync(SpecOf(record), new MachineSource.Image(record.Image), CancellationToken.None);
        if (!launched.Succeeded)
        {
            return launched.Failure;
        }

        var session = new MachineSession(launched.Value);
        var failure = await GreetAsync(record, session);
        if (failure is null)
        {
            Ready(log, record.InstanceId, clock.GetElapsedTime(begun).TotalMilliseconds);
            return session;
        }

        session.Dispose();
        var undone = await undo(session.Machine);
        if (!undone.Succeeded)
        {
            NotUndone(log, record.InstanceId, undone.Failure.Message);
        }

        return failure;
    }

    private async Task<Failure?> GreetAsync(ComputerRecord record, MachineSession session)
    {
        using var timeout = new CancellationTokenSource(settings.ReadyTimeout, clock);

        // Not disposed: it owns nothing, and the machine may end, and cancel it, long after the greeting.
        var ended = new CancellationTokenSource();
        _ = session.Machine.Completion.ContinueWith(_ => ended.Cancel(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        try
        {
            var screen = record.Hardware.Screen;
            var identity = new Identity(
                record.Secrets.Token, record.Secrets.VncPassword, record.HostName, record.MachineId, screen.Width, screen.Height);

            // 2. Who it is. 3. Whether its desktop is painted. 4. The end of the boot burst.
            return await AskAsync(session, Put(identity), timeout.Token, ended.Token)
                ?? await AskAsync(session, new HttpRequestMessage(HttpMethod.Get, DeskdLink.At(DeskdProtocol.ReadyPath)), timeout.Token, ended.Token)
                ?? (await session.Machine.ResizeAsync(new MachineLimits(Cpus: record.Hardware.Cpu), ended.Token)).Failure;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return new Failure(ErrorCodes.LaunchFailed, $"The machine of {record.Name} ended before its desktop was ready.", "The server's log says more.");
        }
    }

    private static HttpRequestMessage Put(Identity identity) =>
        new(HttpMethod.Put, DeskdLink.At(DeskdProtocol.IdentityPath)) { Content = JsonContent.Create(identity, options: SnakeCase) };

    private static async Task<Failure?> AskAsync(MachineSession session, HttpRequestMessage request, CancellationToken timeout, CancellationToken ended)
    {
        using var asked = request;
        var answer = await session.Deskd.SendAsync(request, readOnly: true, timeout, ended);
        if (!answer.Succeeded)
        {
            return answer.Failure;
        }

        using var response = answer.Value;
        return response.IsSuccessStatusCode
            ? null
            : new Failure(
                ErrorCodes.LaunchFailed,
                $"The desktop answered {(int)response.StatusCode} to {request.Method} {request.RequestUri!.AbsolutePath}.",
                "The server's log says more.");
    }

    private MachineSpec SpecOf(ComputerRecord record)
    {
        var (cpu, ram, disk, screen) = record.Hardware;
        var limits = new MachineLimits(cpu, ram * GiB, disk * GiB, settings.MaxProcesses);
        return new MachineSpec(record.InstanceId, limits, screen.Width, screen.Height, screen.Depth, record.HostName);
    }

    [LoggerMessage(1200, LogLevel.Information, "Computer {Instance}: desktop ready after {Milliseconds:F0} ms")]
    private static partial void Ready(ILogger log, string instance, double milliseconds);

    [LoggerMessage(1201, LogLevel.Error, "Computer {Instance}: the machine could not be taken away after a failed launch: {Why}")]
    private static partial void NotUndone(ILogger log, string instance, string why);
}
