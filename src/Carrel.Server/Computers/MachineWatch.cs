using Carrel.Machines;
using Carrel.Server.State;

namespace Carrel.Server.Computers;

/// <summary>Notices machines that end by themselves and makes their computers say so.</summary>
internal sealed partial class MachineWatch(ComputerStore store, SureWrites sure, Guard guard, ILogger<MachineWatch> log)
{
    public void Watch(Computer computer, MachineSession session) => _ = WatchAsync(computer, session);

    private async Task WatchAsync(Computer computer, MachineSession session)
    {
        var exit = await session.Machine.Completion;
        await computer.Post(() => EndedAsync(computer, session, exit));
    }

    private async Task<bool> EndedAsync(Computer computer, MachineSession session, MachineExit exit)
    {
        // Ended by a transition of ours, which has told its own story.
        if (computer.State.Session != session || computer.State.Status is not (ComputerStatus.Running or ComputerStatus.Suspended))
        {
            return false;
        }

        session.Dispose();
        var record = computer.State.Record;
        var why = exit switch
        {
            { OutOfMemory: true } => "Its machine ran out of memory and ended.",
            { ExitCode: { } code } => $"Its machine ended by itself (exit code {code}).",
            _ => "Its machine ended by itself.",
        };
        Ended(log, record.InstanceId, why);

        // The machine is dead; what it held on the host is released here.
        var released = await guard.RunAsync(record.InstanceId, () => session.Machine.StopAsync(TimeSpan.Zero, CancellationToken.None));
        var changed = released.Succeeded
            ? record.With(ComputerStatus.Stopped, why)
            : record.With(ComputerStatus.Error, $"{why} Releasing it failed: {released.Failure.Message}");
        await sure.RunAsync(() => store.EndAsync(changed, null, null));
        computer.SetUnlessBegun(record.Status, changed, released.Succeeded ? null : session);
        return true;
    }

    [LoggerMessage(1220, LogLevel.Warning, "Computer {Instance}: {Why}")]
    private static partial void Ended(ILogger log, string instance, string why);
}
