using Carrel.Contracts;
using Carrel.Machines;
using Carrel.Server.Computers;
using Carrel.Server.Files;
using Carrel.Server.Plans;
using Carrel.Server.Workspaces;

namespace Carrel.Server.Clones;

/// <summary>A computer that was made from another.</summary>
/// <param name="Frozen">How long the other could not write meanwhile.</param>
internal sealed record Clone(Computer Computer, TimeSpan Frozen);

/// <summary>
/// Makes computers from others. A clone is created like any computer, but finds its disk made: copied in the mailbox of the
/// source, so that neither a stop nor a deletion of it comes between, while its status stays and its actions go on.
/// </summary>
internal sealed partial class Cloning(
    Lifecycle lifecycle, NewRecords records, ComputerRegistry registry, IMachineHost host, FileStore files, PlanGuard plans, ILogger<Cloning> log)
{
    private const int StaysOn = 0;

    /// <param name="name">Null: the next free one.</param>
    /// <param name="willMake">Is told of the clone before there is anything of it.</param>
    public async Task<Outcome<Clone>> RunAsync(Computer source, Workspace target, string? name, Func<ComputerRecord, Task> willMake)
    {
        while (true)
        {
            var origin = source.State.Record;
            var chosen = name ?? CloneNames.Next(origin.Name, candidate => registry.In(target.Id).Any(other => other.State.Record.Name == candidate));
            var frozen = TimeSpan.Zero;
            var record = records.Make(target, chosen, origin.Image, origin.Hardware, StaysOn);
            var room = plans.ForNew(record);
            if (!room.Succeeded)
            {
                return room.Failure;
            }

            using var taken = room.Value;
            await willMake(record);
            var made = await lifecycle.CreateAsync(record, async () =>
            {
                var copied = await source.Post(() => CopyAsync(source, record));
                frozen = copied.Succeeded ? copied.Value.Frozen : frozen;
                return copied.Succeeded ? true : copied.Failure;
            });
            if (made.Succeeded)
            {
                Cloned(log, origin.InstanceId, record.InstanceId, frozen.TotalMilliseconds);
                return new Clone(made.Value, frozen);
            }

            // Somebody else took the free name meanwhile: take the next.
            if (name is not null || made.Failure.Code != ErrorCodes.NameTaken)
            {
                return made.Failure;
            }
        }
    }

    private async Task<Outcome<DiskCopy>> CopyAsync(Computer source, ComputerRecord clone)
    {
        if (Refusal(source, registry) is { } refusal)
        {
            return refusal;
        }

        // First: what is delivered between the two comes a second time, which is better than never.
        await files.CopyDeliveriesAsync(source.Id, clone.Id, until: null);
        return await host.CloneDiskAsync(source.State.Record.InstanceId, clone.InstanceId, CancellationToken.None);
    }

    /// <summary>Why a computer's disk cannot be copied. Only from work in its mailbox, where no transition is under way.</summary>
    public static Failure? Refusal(Computer source, ComputerRegistry registry)
    {
        var record = source.State.Record;
        if (registry.Find(source.Id) is null)
        {
            return new Failure(ErrorCodes.NotFound, $"Computer {record.Name} was deleted meanwhile.");
        }

        return record.Status is ComputerStatus.Running or ComputerStatus.Stopped or ComputerStatus.Suspended ? null : new Failure(
            ErrorCodes.NotClonable,
            $"Computer {record.Name} is {record.Status.Wire()}, so its disk cannot be copied.",
            "Stop or start it first.");
    }

    [LoggerMessage(1240, LogLevel.Information, "Computer {Instance}: cloned to {Clone}; frozen for {Milliseconds:F1} ms")]
    private static partial void Cloned(ILogger log, string instance, string clone, double milliseconds);
}
